//! Hosts that are not of the public Internet: what a request from inside reaches, and one from outside would not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Names that are answered within a machine, a site or a cloud (RFC 6761, 6762, 7686, 8375, 9476; `.internal` is ICANN's for
/// private use, and where clouds answer with credentials).
const NAMES: &[&str] = &[
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "localdomain",
    "home.arpa",
    "test",
    "onion",
    "alt",
    "invalid",
];

/// Whether a name, in lower case, is one of those, or of one label, which is looked up in the site's own domain.
pub(super) fn is_private_name(name: &str) -> bool {
    let is_of = |own: &str| name.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !name.contains('.') || NAMES.iter().any(|own| is_of(own))
}

pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

/// What IANA's registry of special-purpose addresses does not call globally reachable, and what is for many.
fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        // "This network", carrier-grade NAT, protocol assignments, relays, benchmarks, multicast and reserved.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 224
}

/// The same of IPv6; an address that stands for one of IPv4 is what that is.
fn is_private_v6(address: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_private_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // Unspecified, loopback, and addresses of IPv4: compatible, mapped, translated.
        [0, 0, 0, 0, 0, 0 | 0xFFFF, high, low] | [0, 0, 0, 0, 0xFFFF, 0, high, low] => {
            (high, low) == (0, 1) || embedded(high, low)
        }
        [0x64, 0xFF9B, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x64, 0xFF9B, ..] => true,
        [0x2002, high, low, ..] => embedded(high, low),
        // Of what is assigned, 2000::/3, that which is for protocols, documentation or Teredo; and all that is not.
        [0x2001, second, ..] => second < 0x200 || second == 0xDB8,
        [0x3FFF, second, ..] => second < 0x1000,
        [first, ..] => !(0x2000..0x4000).contains(&first),
    }
}
