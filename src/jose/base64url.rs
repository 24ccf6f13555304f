//! Strict base64url without padding (RFC 4648, section 5; RFC 7515, section 2).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Text that is not canonical base64url: padding, stray characters, impossible length or non-zero trailing bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotBase64Url;

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(encoded(bytes.len()));
    append(&mut text, bytes);
    // Letters of the alphabet are ASCII.
    String::from_utf8(text).unwrap_or_default()
}

/// How many letters so many bytes are written in, at most.
pub(crate) const fn encoded(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Writes `bytes` at the end of `text`.
pub(crate) fn append(text: &mut Vec<u8>, bytes: &[u8]) {
    let letter = |six: u32| ALPHABET.get((six & 63) as usize).copied().unwrap_or(b'-');
    let four = |bits: u32| [letter(bits >> 18), letter(bits >> 12), letter(bits >> 6), letter(bits)];
    let (threes, rest) = bytes.as_chunks();
    for [first, second, third] in threes {
        text.extend_from_slice(&four(u32::from_be_bytes([0, *first, *second, *third])));
    }
    let last = match rest {
        [first, second] => (four(u32::from_be_bytes([0, *first, *second, 0])), 3),
        [first] => (four(u32::from_be_bytes([0, *first, 0, 0])), 2),
        _ => return,
    };
    text.extend(last.0.into_iter().take(last.1));
}

pub(crate) fn decode(text: &str) -> Result<Vec<u8>, NotBase64Url> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        if chunk.len() == 1 {
            return Err(NotBase64Url);
        }
        let mut bits = 0_u32;
        for letter in chunk {
            bits = bits << 6 | u32::from(six(*letter)?);
        }
        bits <<= 6 * (4 - chunk.len());
        let [_, whole @ ..] = bits.to_be_bytes();
        let (kept, rest) = whole.split_at(chunk.len() - 1);
        if rest.iter().any(|byte| *byte != 0) {
            return Err(NotBase64Url);
        }
        bytes.extend_from_slice(kept);
    }
    Ok(bytes)
}

fn six(letter: u8) -> Result<u8, NotBase64Url> {
    match letter {
        b'A'..=b'Z' => Ok(letter - b'A'),
        b'a'..=b'z' => Ok(letter - b'a' + 26),
        b'0'..=b'9' => Ok(letter - b'0' + 52),
        b'-' => Ok(62),
        b'_' => Ok(63),
        _ => Err(NotBase64Url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_refuses_what_is_not_canonical() {
        for length in 0..70_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        }
        // RFC 4648, section 10, without padding.
        assert_eq!(encode(b"foobar"), "Zm9vYmFy");
        assert_eq!(encode(b"fo"), "Zm8");
        for bad in ["A", "Zm8=", "Zm9", "Zm 8", "Zm+/", "Zm8\n", "Zm9vA"] {
            assert_eq!(decode(bad), Err(NotBase64Url), "{bad}");
        }
    }
}
