//! The algorithms of signatures, and which of them a key is pinned to.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, VerificationAlgorithm,
};

/// Declares the algorithms: each with its names in a header (RFC 7518, section 3.1; RFC 8037; RFC 9864), compared byte
/// for byte. What is not here is refused by that: `none`, everything keyed with a shared secret, and curves that are not
/// verified here.
macro_rules! algorithms {
    ($($(#[$doc:meta])* $variant:ident $first:literal $(| $other:literal)*;)*) => {
        /// An algorithm of signatures that is verified here.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Algorithm {
            $($(#[$doc])* $variant,)*
        }

        impl Algorithm {
            /// Every algorithm.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The algorithm with this name, exactly.
            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $($first $(| $other)* => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its name in headers, the first where it has two.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $first),* }
            }
        }
    };
}

algorithms! {
    /// EdDSA on the curve of Ed25519, and no other.
    Ed25519 "EdDSA" | "Ed25519";
    /// ECDSA on P-256 with SHA-256.
    Es256 "ES256";
    /// ECDSA on P-384 with SHA-384.
    Es384 "ES384";
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256 "RS256";
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384 "RS384";
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512 "RS512";
    /// RSASSA-PSS with SHA-256.
    Ps256 "PS256";
    /// RSASSA-PSS with SHA-384.
    Ps384 "PS384";
    /// RSASSA-PSS with SHA-512.
    Ps512 "PS512";
}

impl Algorithm {
    /// Those of an RSA key.
    pub(super) const RSA: &[Self] = &[Self::Rs256, Self::Rs384, Self::Rs512, Self::Ps256, Self::Ps384, Self::Ps512];

    /// How keys that are a point of a curve are verified with it.
    pub(super) fn of_point(self) -> Option<&'static dyn VerificationAlgorithm> {
        match self {
            Self::Ed25519 => Some(&ED25519),
            Self::Es256 => Some(&ECDSA_P256_SHA256_FIXED),
            Self::Es384 => Some(&ECDSA_P384_SHA384_FIXED),
            _ => None,
        }
    }

    /// How RSA keys are verified with it: moduli of 2048 to 8192 bits.
    pub(super) fn of_modulus(self) -> Option<&'static RsaParameters> {
        match self {
            Self::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
            Self::Ed25519 | Self::Es256 | Self::Es384 => None,
        }
    }
}
