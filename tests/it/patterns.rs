//! Patterns: JSON Schema's regular expressions mean here what ECMA-262 says they mean, or are refused.

use bailiwick::mandate::{ActionClass, ArgumentType, Constraints, PatternError, Tool};

use crate::world::args;

fn matches(pattern: &str, text: &str) -> Result<bool, PatternError> {
    let constraints = Constraints::new().pattern(pattern)?;
    let tool = Tool::new("t".parse().expect("a tool name"), ActionClass::Read)
        .required("x".parse().expect("an argument name"), ArgumentType::Text)
        .and_then(|tool| tool.constrained("x", constraints))
        .expect("one argument");
    Ok(tool.check(&args(&serde_json::json!({ "x": text }).to_string())).is_ok())
}

#[test]
fn a_pattern_means_what_ecma_262_says() {
    let rows: &[(&str, &[&str], &[&str])] = &[
        ("", &["", "a"], &[]),
        ("^$", &[""], &["a", "\n"]),
        ("a", &["a", "bab"], &["", "b", "A"]),
        ("^a|b$", &["ax", "xb"], &["xa", "bx"]),
        ("^(a|b)c$", &["ac", "bc"], &["abc"]),
        ("^(?:ab)+?$", &["ab", "abab"], &["aba"]),
        ("^(?<year>\\d{4})$", &["2026"], &["206"]),
        ("^a{2}b{1,}c{0,1}$", &["aab", "aabbc"], &["ab", "aabcc"]),
        // Digits and letters are ASCII: ARABIC-INDIC DIGIT ONE is none, nor is `é` a word's letter.
        ("^\\d+$", &["19"], &["\u{661}", "x"]),
        ("^\\D$", &["\u{661}", "x"], &["1"]),
        ("^\\w+$", &["aZ_9"], &["é", "a-b"]),
        ("^\\W$", &["é", "-"], &["a"]),
        ("\\bid\\b", &["an id"], &["idea"]),
        ("é\\b", &["éa"], &["é"]),
        // White space is Unicode's, and the byte order mark.
        ("^\\s$", &[" ", "\t", "\u{b}", "\u{a0}", "\u{2028}", "\u{3000}", "\u{feff}"], &["x", "\u{85}", "\u{200b}"]),
        ("^\\S$", &["x", "\u{85}"], &[" ", "\u{feff}"]),
        // A dot is one character of a line, and a line has four ends.
        ("^.$", &["x", "😀", "\u{85}"], &["\n", "\r", "\u{2028}", "\u{2029}", "", "xy"]),
        // Without the flag `m` there is one end.
        ("^a$", &["a"], &["a\n", "a\nb", "b\na"]),
        ("^[abc]$", &["a", "c"], &["d", "-"]),
        ("^[^abc]$", &["d", "\n"], &["a"]),
        ("^[a-c]$", &["b"], &["d", "-"]),
        ("^[-a]$", &["-", "a"], &["b"]),
        ("^[a-]$", &["-", "a"], &["b"]),
        ("^[+--]$", &["+", ",", "-"], &["."]),
        ("^[\\w.-]+$", &["a.b-c"], &["a b", "é"]),
        ("^[\\w-.]$", &["a", "-", "."], &["+", ","]),
        ("^[a-\\d]$", &["a", "-", "1"], &["b"]),
        ("^[^\\W\\d]$", &["a", "_"], &["1", "-", "é"]),
        ("^[\\D\\d]$", &["a", "1"], &[]),
        ("^[\\b]$", &["\u{8}"], &["b"]),
        // Letters within brackets, which other languages read as something else.
        ("^[[]$", &["["], &["]"]),
        ("^[[:alpha:]\\]$", &["[]", "a]", ":]"], &["a", "z]"]),
        ("^[a&&b]$", &["a", "&", "b"], &[]),
        ("^[a-z&&[aeiou]\\]$", &["a]", "z]", "&]", "[]"], &["a", "e"]),
        ("^[!--b]$", &["!", ",", "-", "b"], &["a", "."]),
        ("^[~~a]$", &["~", "a"], &[]),
        ("^[.*+?^$(){}|]$", &[".", "*", "^", "$", "|", "}"], &["a", "\\"]),
        ("^\\.\\*\\/\\-\\@\\\\$", &[".*/-@\\"], &["aaaaaa"]),
        ("^\\x41\\u0042\\u{43}$", &["ABC"], &["abc"]),
        ("^\\uD83D\\uDE00$", &["😀"], &["?"]),
        ("^[\\u0061-\\u007a]$", &["a", "z"], &["A"]),
        ("^\\t\\n\\v\\f\\r\\0$", &["\t\n\u{b}\u{c}\r\0"], &[]),
        ("^\\p{Lu}\\P{L}$", &["É1"], &["éa"]),
        ("^# a b$", &["# a b"], &["#ab"]),
        ("^é😀$", &["é😀"], &["e"]),
    ];
    for (pattern, takes, refuses) in rows {
        for text in *takes {
            assert_eq!(matches(pattern, text), Ok(true), "{pattern} takes {text:?}");
        }
        for text in *refuses {
            assert_eq!(matches(pattern, text), Ok(false), "{pattern} refuses {text:?}");
        }
    }
}

#[test]
fn a_pattern_that_cannot_be_held_is_refused_and_says_why() {
    let long = "a".repeat(513);
    let rows = [
        ("(?=a)", "looks ahead or behind"),
        ("(?!a)", "looks ahead or behind"),
        ("(?<=a)", "looks ahead or behind"),
        ("(?<!a)", "looks ahead or behind"),
        ("(a)\\1", "refers back to a group"),
        ("(?<n>a)\\k<n>", "refers back to a group"),
        ("(?i)a", "is not valid"),
        ("(?i:a)", "is not valid"),
        ("(?P<n>a)", "is not valid"),
        ("(?<>a)", "is not valid"),
        ("(?#a)", "is not valid"),
        ("[]", "has brackets with nothing in them"),
        ("[^]", "has brackets with nothing in them"),
        ("[]a]", "has brackets with nothing in them"),
        ("[[:alpha:]]", "is not valid"),
        ("[a", "is not valid"),
        ("[b-a]", "is not valid"),
        ("(a", "is not valid"),
        ("a)", "is not valid"),
        ("a]", "is not valid"),
        ("a{", "is not valid"),
        ("a}", "is not valid"),
        ("a{,2}", "is not valid"),
        ("a{2,1}", "is not valid"),
        ("a{x}", "is not valid"),
        ("a{ 1 }", "is not valid"),
        ("*a", "is not valid"),
        ("\\", "is not valid"),
        ("\\A", "has an escape that is not understood"),
        ("a\\z", "has an escape that is not understood"),
        ("\\a", "has an escape that is not understood"),
        ("\\cA", "has an escape that is not understood"),
        ("\\01", "has an escape that is not understood"),
        ("\\u00", "is not valid"),
        ("\\uD83D", "is not valid"),
        ("\\u{110000}", "is not valid"),
        ("\\p{Nothing}", "is not valid"),
        ("\\pL", "is not valid"),
        ("\\d{1000}{1000}", "is larger than 128 KiB when compiled"),
        ("(?:\\p{L}{50}){50}", "is larger than 128 KiB when compiled"),
        (&long, "is longer than 512 bytes"),
    ];
    for (pattern, why) in rows {
        let error = matches(pattern, "").expect_err(pattern);
        assert_eq!(error.why, why, "{pattern}");
        assert!(error.to_string().starts_with("the pattern `"), "{error}");
    }
    let deep = format!("{}a{}", "(".repeat(200), ")".repeat(200));
    assert_eq!(matches(&deep, "a").expect_err("two hundred brackets").why, "is not valid");
}

/// What backtracks elsewhere for longer than the sun will shine.
#[test]
fn a_match_takes_linear_time() {
    let text = format!("{}!", "a".repeat(50_000));
    for pattern in ["^(a+)+$", "^(a|a)*$", "^(a*)*b$", "(a+)+$"] {
        assert_eq!(matches(pattern, &text), Ok(false), "{pattern}");
    }
}
