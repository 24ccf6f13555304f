"""Verifies with PyJWT what the example `interop` prints, and prints what it verified. Fails where anything is not as it
should be, or where something that is wrong would have passed as well."""

import base64
import hashlib
import json
import sys
import time

import jwt

CONTEXT = "urn:bailiwick:claims:v1"


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(key):
    """RFC 7638: the required members, in lexical order."""
    members = {"OKP": ["crv", "kty", "x"], "EC": ["crv", "kty", "x", "y"]}[key["kty"]]
    canonical = json.dumps({name: key[name] for name in members}, separators=(",", ":"), sort_keys=True)
    return b64u(hashlib.sha256(canonical.encode()).digest())


def flipped(token):
    """The same with one bit of its claims changed."""
    header, claims, signature = token.split(".")
    changed = claims[:-4] + ("A" if claims[-4] != "A" else "B") + claims[-3:]
    return ".".join([header, changed, signature])


def refuses(check, token):
    try:
        check(token)
    except jwt.InvalidTokenError:
        return True
    return False


def main():
    said = json.load(sys.stdin)
    keys = {key["kid"]: key for key in said["keys"]["keys"]}
    assert len(keys) == 2 == len(said["shown"]), "two keys, two credentials"
    for kid, key in keys.items():
        assert kid == thumbprint(key) and key["use"] == "sig" and "d" not in key, kid
    for shown in said["shown"]:
        token, proof = shown["token"], shown["proof"]
        header = jwt.get_unverified_header(token)
        assert header["typ"] == "at+jwt", header
        key = jwt.PyJWK(keys[header["kid"]])

        def credential(text, audience=said["audience"]):
            return jwt.decode(text, key, algorithms=[header["alg"]], audience=audience, issuer=said["issuer"])

        claims = credential(token)
        assert claims["sub"] == claims["client_id"] and claims[CONTEXT]["mode"] == "on_behalf_of", claims
        assert refuses(credential, flipped(token)), "one bit"
        assert refuses(lambda text: credential(text, "https://other.example"), token), "another audience"
        other = jwt.PyJWK(next(one for kid, one in keys.items() if kid != header["kid"]))
        assert refuses(lambda text: jwt.decode(text, other, algorithms=["EdDSA", "ES256"], audience=said["audience"]), token)

        bound = jwt.get_unverified_header(proof)
        assert sorted(bound) == ["alg", "jwk", "typ"] and bound["typ"] == "dpop+jwt", bound
        assert thumbprint(bound["jwk"]) == claims["cnf"]["jkt"], "the key that the credential is bound to"
        own = jwt.PyJWK(bound["jwk"], algorithm=bound["alg"])

        def possession(text):
            return jwt.decode(text, own, algorithms=[bound["alg"]], options={"require": ["iat", "jti"]})

        proven = possession(proof)
        assert (proven["htm"], proven["htu"]) == (shown["method"], shown["uri"]), proven
        assert proven["ath"] == b64u(hashlib.sha256(token.encode()).digest()), "the credential that goes along"
        assert abs(time.time() - proven["iat"]) < 300, proven
        assert refuses(possession, flipped(proof)), "one bit"
        print(f"{shown['called']}: PyJWT {jwt.__version__} verified the credential {claims['jti']} ({header['alg']}), and the")
        print(f"  proof {proven['jti']} ({bound['alg']}) by the key {claims['cnf']['jkt']} that it is bound to.")


main()
