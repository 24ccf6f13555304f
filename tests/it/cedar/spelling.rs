//! Texts of extension types and patterns that are right, or nearly.

use cedar_policy::pst::PatternElem;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::things::plain_decimal;

pub(crate) fn decimals() -> impl Strategy<Value = String> + Clone {
    let exact = numbers().prop_map(plain_decimal);
    let loose = ("-?", "0{0,3}", "[0-9]{1,3}|[0-9]{13,16}", "[0-9]{1,5}")
        .prop_map(|(sign, zeros, whole, fraction)| format!("{sign}{zeros}{whole}.{fraction}"));
    let small = "-?[01]\\.[01]0{0,2}";
    nearly(prop_oneof![exact, loose, small], "0123456789.-")
}

pub(crate) fn durations() -> impl Strategy<Value = String> + Clone {
    // A quantity near the most that its unit can have, or a small one, or one that is too long for a number.
    fn quantity(unit: i64) -> impl Strategy<Value = String> + Clone {
        let edge = (i64::MAX / unit).cast_unsigned();
        let edge = (edge - 2..=edge + 2).prop_map(|number| number.to_string());
        prop_oneof![8 => "[0-9]{1,3}", 1 => edge, 1 => "0{0,3}[0-9]{5,20}"]
    }
    let part = |unit: i64| option::weighted(0.4, quantity(unit));
    let free = ("-?", part(86_400_000), part(3_600_000), part(60_000), part(1_000), part(1)).prop_map(
        |(sign, days, hours, minutes, seconds, millis)| {
            let parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"), (millis, "ms")];
            let part = |(quantity, unit): (Option<String>, &str)| quantity.map(|quantity| quantity + unit);
            sign + &parts.into_iter().filter_map(part).collect::<String>()
        },
    );
    // A number, cut into units so that only the sum can be too much.
    let cut = (numbers(), -2..3_i128, any::<[bool; 4]>()).prop_map(|(number, near, with)| {
        let number = i128::from(number) + near;
        let (mut rest, mut text) = (number.unsigned_abs(), if number < 0 { "-" } else { "" }.to_owned());
        for (with, (unit, length)) in
            with.into_iter().zip([("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)])
        {
            if with {
                text += &format!("{}{unit}", rest / length);
                rest %= length;
            }
        }
        text + &format!("{rest}ms")
    });
    nearly(prop_oneof![free, cut], "0123456789dhms-")
}

pub(crate) fn datetimes() -> impl Strategy<Value = String> + Clone {
    let two = |most: u32| prop_oneof![8 => 0..most, 1 => Just(0), 1 => most - 1..=most].prop_map(|n| format!("{n:02}"));
    let year = prop_oneof!["19[67][0-9]", "20[0-9]{2}", "[0-9]{4}", "0000|0004|1900|2000|9999"];
    let month = prop_oneof![8 => 1..=12, 1 => 2..3, 1 => 0..=13].prop_map(|n| format!("{n:02}"));
    let day = prop_oneof![8 => 1..=28, 1 => 28..=31, 1 => 0..=32].prop_map(|n| format!("{n:02}"));
    let zone = prop_oneof![
        Just("Z".to_owned()),
        ("[+-]", two(24), two(60)).prop_map(|(sign, hour, minute)| sign + &hour + &minute)
    ];
    let time = (two(24), two(60), two(60), "|\\.[0-9]{3}", zone)
        .prop_map(|(hour, minute, second, millis, zone)| format!("T{hour}:{minute}:{second}{millis}{zone}"));
    let valid = (year, month, day, option::weighted(0.8, time))
        .prop_map(|(year, month, day, time)| format!("{year}-{month}-{day}{}", time.unwrap_or_default()));
    nearly(valid, "0123456789-:TZ.tz")
}

/// Few values for a group, so that one is often in the range of another.
pub(crate) fn addresses() -> impl Strategy<Value = String> + Clone {
    let octet = prop_oneof![8 => "0|1|10|127|224|255", 1 => "[0-9]{1,3}"];
    let group = prop_oneof![8 => "0|1|ff00|FFFF|2001", 1 => "[0-9a-fA-F]{1,4}"];
    let prefix = |most: u32| {
        let any = prop_oneof![8 => 0..=most, 1 => most..=most + 1, 1 => select(vec![0, 1, 8, 16, 24])];
        option::of(any).prop_map(|prefix| prefix.map(|prefix| format!("/{prefix}")).unwrap_or_default())
    };
    let four = (vec(octet.clone(), 4), prefix(32)).prop_map(|(octets, prefix)| octets.join(".") + &prefix);
    let full = (vec(group.clone(), 8), prefix(128)).prop_map(|(groups, prefix)| groups.join(":") + &prefix);
    let short = (vec(group.clone(), 0..5), vec(group.clone(), 0..4), prefix(128))
        .prop_map(|(before, after, prefix)| format!("{}::{}{prefix}", before.join(":"), after.join(":")));
    let common =
        select(vec!["::1", "::", "127.0.0.1", "::ffff:7f00:1", "ff02::1", "::1/128", "127.0.0.1/32", "10.0.0.0/8"])
            .prop_map(str::to_owned);
    let mixed = (vec(group, 0..3), vec(octet, 2..5))
        .prop_map(|(groups, octets)| format!("{}::{}", groups.join(":"), octets.join(".")));
    let valid = prop_oneof![4 => four, 2 => full, 3 => short, 1 => common, 1 => mixed];
    nearly(valid, "0123456789abfF.:/")
}

/// Every size of number, the ends of the range, and the ends of the calendar.
fn numbers() -> impl Strategy<Value = i64> + Clone {
    let near = |at: i64| (-3..=3_i64).prop_map(move |by| at.saturating_add(by));
    prop_oneof![
        4 => any::<i64>(),
        4 => (any::<i64>(), 0..64_u32).prop_map(|(number, bits)| number >> bits),
        1 => prop_oneof![near(i64::MIN), near(i64::MAX), near(0)],
        1 => prop_oneof![near(-62_167_219_200_000), near(253_402_300_800_000), near(86_400_000), near(-86_400_000)],
        1 => (any::<i32>(), select(vec![1_000, 60_000, 86_400_000])).prop_map(|(number, unit)| i64::from(number) * unit),
    ]
}

/// A pattern as Cedar source.
pub(crate) fn pattern_source(elements: &[PatternElem]) -> String {
    let letter = |element: &PatternElem| match element {
        PatternElem::Wildcard => "*".to_owned(),
        PatternElem::Char('*') => r"\*".to_owned(),
        PatternElem::Char(letter) => letter.escape_debug().to_string(),
    };
    elements.iter().map(letter).collect()
}

/// A text that fits a pattern.
pub(crate) fn fill(elements: &[PatternElem], filling: &[Vec<char>]) -> String {
    let mut filling = filling.iter();
    let part = |element: &PatternElem| match element {
        PatternElem::Char(letter) => letter.to_string(),
        PatternElem::Wildcard => filling.next().into_iter().flatten().collect(),
    };
    elements.iter().map(part).collect()
}

/// Texts with up to three letters changed, one time in two.
fn nearly(
    texts: impl Strategy<Value = String> + Clone,
    letters: &'static str,
) -> impl Strategy<Value = String> + Clone {
    let letter = select(letters.chars().chain([' ', '\n', '\0', '+', '٣', 'é']).collect::<Vec<_>>());
    let change = (0..4_u8, any::<Index>(), letter);
    let changed = (texts.clone(), vec(change, 1..4)).prop_map(|(text, changes)| {
        let mut text: Vec<char> = text.chars().collect();
        for (kind, at, letter) in changes {
            let at = at.index(text.len() + 1);
            match kind {
                0 => text.insert(at, letter),
                1 if at < text.len() => drop(text.remove(at)),
                2 if at < text.len() => text[at] = letter,
                3 if at + 1 < text.len() => text.swap(at, at + 1),
                _ => text.truncate(at),
            }
        }
        text.into_iter().collect()
    });
    prop_oneof![texts, changed]
}

/// Corners that chance may pass by.
#[rustfmt::skip]
pub(crate) const DECIMALS: &[&str] = &[
    "922337203685477.5807", "922337203685477.5808", "-922337203685477.5808", "-922337203685477.5809", "-0.0",
    "-0.0001", "0.00000", "00.0000", "1.", ".1", ".", "-.1", "-1.", "", "-", "1", "+1.0", "--1.0", "1.-0", "1.+0",
    "1.0 ", " 1.0", "1.0\n", "1.0\0", "1.0.0", "1,0", "1e1.0", "0x1.0", "1_0.0", "٣.٣", "1.٣", "𝟙.0",
    "9223372036854775807.0", "9223372036854775808.0", "-9223372036854775808.0", "1.00000",
];

#[rustfmt::skip]
pub(crate) const DURATIONS: &[&str] = &[
    "", "-", "0", "0d", "-0d", "0ms", "1d1d", "1h1d", "1ms1s", "1s1ms", "1m1ms", "1m1m", "1m", "1ms", "1mss", "1M",
    "1D", "+1d", "- 1d", "-1d-1h", "1 d", "1d ", "1d\n", "1.5d", "1d1", "d", "1dh", "ms", "٣d", "1dd",
    "9223372036854775807ms", "9223372036854775808ms", "-9223372036854775808ms", "-9223372036854775809ms",
    "18446744073709551615ms", "18446744073709551616ms", "18446744073709551616d", "106751991167d7h12m55s807ms",
    "106751991167d7h12m55s808ms", "-106751991167d7h12m55s808ms", "-106751991167d7h12m55s809ms", "106751991168d",
    "-106751991168d", "9223372036854775s807ms", "9223372036854775s808ms", "0d9223372036854775807ms",
    "1s9223372036854775807ms", "-1s9223372036854775807ms", "-1s9223372036854774808ms", "-1s9223372036854774809ms",
];

#[rustfmt::skip]
pub(crate) const DATETIMES: &[&str] = &[
    "", "1970-01-01", "0000-01-01", "0000-02-29", "9999-12-31", "10000-01-01", "-001-01-01", "1900-02-29",
    "2000-02-29", "2023-02-29", "2024-02-30", "2024-04-31", "2024-00-01", "2024-13-01", "2024-01-00", "2024-01-32",
    "2024-1-01", "2024-01-1", "24-01-01", "2024/01/01", "2024-01-01 ", " 2024-01-01", "2024-01-01\n", "2024-01-01Z",
    "2024-01-01T", "2024-01-01T00:00:00", "2024-01-01T00:00:00Z", "2024-01-01t00:00:00Z", "2024-01-01T00:00:00z",
    "2024-01-01 00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T23:60:00Z", "2024-01-01T23:59:60Z",
    "2024-06-30T23:59:60.999Z", "2024-01-01T23:59:59.999Z", "2024-01-01T00:00:00.0Z", "2024-01-01T00:00:00.00Z",
    "2024-01-01T00:00:00.0000Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00,000Z", "2024-01-01T00:00Z",
    "2024-01-01T00:00:00+0000", "2024-01-01T00:00:00-0000", "2024-01-01T00:00:00+2359", "2024-01-01T00:00:00-2359",
    "2024-01-01T00:00:00+2400", "2024-01-01T00:00:00+0060", "2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00+00",
    "2024-01-01T00:00:00.000", "2024-01-01T00:00:00.123+0130", "2024-01-01T00:00:00.123-0130",
    "2024-01-01T00:00:00Z+0000", "2024-01-01T00:00:00\u{2212}0000", "0000-01-01T00:00:00+2359",
    "9999-12-31T23:59:59.999-2359", "٢٠٢٤-01-01", "2024-01-01T+1:00:00Z", "2024-01-01T00:00:00.+10Z",
    "2024-01-01T00:00:00+-100", "2024-01-01T00:00:00Z\n",
];

#[rustfmt::skip]
pub(crate) const ADDRESSES: &[&str] = &[
    "", "/", "0.0.0.0", "255.255.255.255", "256.0.0.0", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.04", "1.2.3.4/",
    "1.2.3.4/0", "1.2.3.4/32", "1.2.3.4/33", "1.2.3.4/00", "1.2.3.4/08", "1.2.3.4/+8", "1.2.3.4/-8", "1.2.3.4/8 ",
    "1.2.3.4 /8", " 1.2.3.4", "1.2.3.4\n", "1.2.3.4/8/8", "1.2.3.4/256", "1.2.3.4/008", "1.2.3.4/٣", "0x1.2.3.4",
    "1.2.3.4:80", "::", ":::", "::/0", "::/128", "::/129", "::/000", "::/064", "::1", "[::1]", "::1%1",
    "fe80::1%eth0", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7",
    "1::2::3", "1::2:3:4:5:6:7:8", "00001::", "0001::", "ABCD::", "g::", "::ffff:1.2.3.4", "::1.2.3.4",
    "64:ff9b::1.2.3.4", "::ffff:102:304", "::ffff:1.2", "1:2:3:4:5:6:1.2.3.4", "::ffff:1.2.3.4/96",
    "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789/128", "ABCD:EF01:2345:6789:ABCD:EF01:2345:06789/12",
    "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789/0128", "ff00::/8", "ff00::/7", "224.0.0.0/4", "224.0.0.0/3",
    "127.0.0.1/8", "127.0.0.1/7", "::1/127", "::ffff:7f00:1", "::ffff:e000:1",
];
