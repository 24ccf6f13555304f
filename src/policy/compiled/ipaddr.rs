//! Cedar's `ipaddr`: an address, and how many of its leading bits are the network.

use std::fmt;
use std::net::IpAddr;

/// An address with a prefix length; an address alone is the network of itself.
///
/// Equal are only the same address with the same prefix: `10.0.0.1/24` is in `10.0.0.0/24`, not equal to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpNet {
    address: IpAddr,
    /// At most the width of the address.
    prefix: u8,
}

impl IpNet {
    /// Reads `address` or `address/prefix`.
    ///
    /// An IPv4 address inside an IPv6 one (`::ffff:10.0.0.1`) is refused; its hexadecimal form is an IPv6 address.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        if address.contains(':') && address.contains('.') {
            return None;
        }
        let address = address.parse().ok()?;
        let prefix = prefix.map_or(Some(width(address)), |prefix| parse_prefix(prefix, width(address)))?;
        Some(Self { address, prefix })
    }

    /// Whether this is IPv4.
    pub(super) fn is_ipv4(self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether this is IPv6.
    pub(super) fn is_ipv6(self) -> bool {
        self.address.is_ipv6()
    }

    /// Whether all of this is in `127.0.0.0/8`, or it is `::1`.
    pub(super) fn is_loopback(self) -> bool {
        self.address.is_loopback() && self.prefix >= if self.is_ipv4() { 8 } else { 128 }
    }

    /// Whether all of this is in `224.0.0.0/4` or `ff00::/8`.
    pub(super) fn is_multicast(self) -> bool {
        self.address.is_multicast() && self.prefix >= if self.is_ipv4() { 4 } else { 8 }
    }

    /// Whether all of this is in `range`; nothing of one family is in a range of the other.
    pub(super) fn is_in_range(self, range: Self) -> bool {
        let host_bits = u32::from(width(range.address).saturating_sub(range.prefix));
        // A shift by the whole width leaves nothing to differ in.
        let same_network = match (self.address, range.address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(host_bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(host_bits).unwrap_or(0) == 0
            }
            _ => false,
        };
        same_network && range.prefix <= self.prefix
    }

    /// Writes this as Cedar source: `ip("10.0.0.0/8")`, an address alone without its prefix.
    pub(super) fn write(self, to: &mut impl fmt::Write) -> fmt::Result {
        match self.address {
            // The standard library writes this address in the form that Cedar refuses.
            IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => {
                let [.., high, low] = address.segments();
                write!(to, r#"ip("::ffff:{high:x}:{low:x}"#)?;
            }
            address => write!(to, r#"ip("{address}"#)?,
        }
        if self.prefix < width(self.address) {
            write!(to, "/{}", self.prefix)?;
        }
        to.write_str(r#"")"#)
    }
}

/// The bits of an address.
fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// A prefix length: digits alone, no leading zero, at most `max`.
fn parse_prefix(text: &str, max: u8) -> Option<u8> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    canonical.then(|| text.parse().ok())?.filter(|prefix| *prefix <= max)
}
