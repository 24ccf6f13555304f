//! Cedar's `datetime` and `duration`: milliseconds, since the first instant of 1970 in UTC or as they are.

use std::fmt;

use time::{Date, Month};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The units of a duration, in the order in which they must be written.
const UNITS: [(&str, u64); 5] = [
    ("d", DAY.unsigned_abs()),
    ("h", HOUR.unsigned_abs()),
    ("m", MINUTE.unsigned_abs()),
    ("s", SECOND.unsigned_abs()),
    ("ms", 1),
];

/// The instant that `text` names: `YYYY-MM-DD`, or that with `Thh:mm:ss`, perhaps `.SSS`, and `Z` or `±hhmm`.
///
/// Every field has exactly its digits; the calendar is Gregorian back to the year 0; there are no leap seconds.
pub(super) fn parse(text: &str) -> Option<i64> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, time @ ..] = text.as_bytes() else { return None };
    let month = Month::try_from(u8::try_from(number([*m0, *m1])?).ok()?).ok()?;
    let day = u8::try_from(number([*d0, *d1])?).ok()?;
    let date = Date::from_calendar_date(i32::from(number([*y0, *y1, *y2, *y3])?), month, day).ok()?;
    let midnight = i64::from(date.to_julian_day() - EPOCH) * DAY;
    if time.is_empty() { Some(midnight) } else { Some(midnight + parse_time(time)?) }
}

/// The milliseconds that a duration's text names: an optional `-`, then quantities of `d`, `h`, `m`, `s`, `ms`.
///
/// Each unit is there at most once and at least one is, in this order; quantities are unbounded as long as the sum fits.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if rest.is_empty() {
        return None;
    }
    let mut units = UNITS.iter();
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let (quantity, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let (unit, after) = after.split_at_checked(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()))?;
        // What was passed over cannot come later.
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        sum = sum.checked_add(quantity.parse::<u64>().ok()?.checked_mul(*length)?)?;
        rest = after;
    }
    if negative { 0_i64.checked_sub_unsigned(sum) } else { i64::try_from(sum).ok() }
}

/// The instant that is `duration` later; none if that cannot be counted.
pub(super) fn offset(datetime: i64, duration: i64) -> Option<i64> {
    datetime.checked_add(duration)
}

/// How much later `datetime` is than `other`; none if that cannot be counted.
pub(super) fn duration_since(datetime: i64, other: i64) -> Option<i64> {
    datetime.checked_sub(other)
}

/// The midnight at or before an instant; none before the first midnight that can be counted.
pub(super) fn to_date(datetime: i64) -> Option<i64> {
    datetime.checked_sub(to_time(datetime))
}

/// The duration since midnight, never negative.
pub(super) fn to_time(datetime: i64) -> i64 {
    datetime.rem_euclid(DAY)
}

/// A duration in milliseconds. As in all of these, what is left of a unit is cut off, towards zero.
pub(super) fn to_milliseconds(duration: i64) -> i64 {
    duration
}

/// A duration in whole seconds.
pub(super) fn to_seconds(duration: i64) -> i64 {
    duration / SECOND
}

/// A duration in whole minutes.
pub(super) fn to_minutes(duration: i64) -> i64 {
    duration / MINUTE
}

/// A duration in whole hours.
pub(super) fn to_hours(duration: i64) -> i64 {
    duration / HOUR
}

/// A duration in whole days.
pub(super) fn to_days(duration: i64) -> i64 {
    duration / DAY
}

/// Writes an instant as Cedar source: `datetime("2024-10-15T11:35:00Z")`, a midnight as its date alone.
///
/// An instant outside the years 0 to 9999 has no text of its own and is written as an offset, as Cedar does.
pub(super) fn write(datetime: i64, to: &mut impl fmt::Write) -> fmt::Result {
    let days = i32::try_from(datetime.div_euclid(DAY)).ok().and_then(|days| days.checked_add(EPOCH));
    let date = days.and_then(|days| Date::from_julian_day(days).ok());
    let Some((year @ 0..=9999, month, day)) = date.map(Date::to_calendar_date) else {
        to.write_str(r#"datetime("1970-01-01").offset("#)?;
        write_duration(datetime, to)?;
        return to.write_char(')');
    };
    write!(to, r#"datetime("{year:04}-{:02}-{day:02}"#, u8::from(month))?;
    let time = to_time(datetime);
    if time != 0 {
        write!(to, "T{:02}:{:02}:{:02}", time / HOUR, time / MINUTE % 60, time / SECOND % 60)?;
        if time % SECOND != 0 {
            write!(to, ".{:03}", time % SECOND)?;
        }
        to.write_char('Z')?;
    }
    to.write_str(r#"")"#)
}

/// Writes a duration as Cedar source, without the units of which there are none: `duration("-1d12h")`.
pub(super) fn write_duration(duration: i64, to: &mut impl fmt::Write) -> fmt::Result {
    to.write_str(if duration < 0 { r#"duration("-"# } else { r#"duration(""# })?;
    if duration == 0 {
        to.write_str("0ms")?;
    }
    let mut rest = duration.unsigned_abs();
    for (unit, length) in UNITS {
        if rest >= length {
            write!(to, "{}{unit}", rest / length)?;
            rest %= length;
        }
    }
    to.write_str(r#"")"#)
}

/// The Julian day of the first day of 1970.
const EPOCH: i32 = 2_440_588;

/// What follows the date, as milliseconds from its midnight in UTC: negative if the offset leads to the day before.
fn parse_time(text: &[u8]) -> Option<i64> {
    let [b'T', h0, h1, b':', m0, m1, b':', s0, s1, rest @ ..] = text else { return None };
    let time = clock([*h0, *h1], [*m0, *m1])? + below([*s0, *s1], 60)? * SECOND;
    let (millis, zone) = match rest {
        [b'.', m0, m1, m2, zone @ ..] => (i64::from(number([*m0, *m1, *m2])?), zone),
        zone => (0, zone),
    };
    let ahead = match zone {
        [b'Z'] => 0,
        [b'+', h0, h1, m0, m1] => clock([*h0, *h1], [*m0, *m1])?,
        [b'-', h0, h1, m0, m1] => -clock([*h0, *h1], [*m0, *m1])?,
        _ => return None,
    };
    Some(time + millis - ahead)
}

fn clock(hour: [u8; 2], minute: [u8; 2]) -> Option<i64> {
    Some(below(hour, 24)? * HOUR + below(minute, 60)? * MINUTE)
}

fn below(digits: [u8; 2], limit: u16) -> Option<i64> {
    number(digits).filter(|number| *number < limit).map(i64::from)
}

/// At most four digits as a number.
fn number<const N: usize>(digits: [u8; N]) -> Option<u16> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u16::from(digit - b'0')))
}
