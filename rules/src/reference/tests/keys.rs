//! Which lists of keys are taken.

use super::*;

#[track_caller]
fn check(list: &str, position: usize, problem: KeyProblem) {
    assert_eq!(SigningKeys::parse(list).err(), Some(KeyError { position, problem }), "{list:?}");
}

#[test]
fn weak_keys_are_refused() {
    let cases = [
        ("", KeyProblem::Empty),
        ("  ", KeyProblem::Empty),
        ("a:", KeyProblem::Empty),
        ("a:\t", KeyProblem::Empty),
        ("abcdefghijklmnopqrstuvwxyz", KeyProblem::TooShort),
        ("a:0123456789abcdef0123456789abcde", KeyProblem::TooShort),
        ("a:\"8d1f6c0b97a24e35f7c9d2ab60e41358\"", KeyProblem::Quoted),
        ("a:8d1f6c0b97a24e35 f7c9d2ab60e41358", KeyProblem::WhiteSpace),
        ("a: 8d1f6c0b97a24e35f7c9d2ab60e41358", KeyProblem::WhiteSpace),
        ("a:8d1f6c0b97a24e35f7c9d2ab60e41358\n", KeyProblem::WhiteSpace),
        ("a:00000000000000000000000000000000", KeyProblem::Placeholder),
        ("a:changeme_changeme_changeme_changeme", KeyProblem::Placeholder),
        ("${TALLY_SIGNING_KEY_OF_PRODUCTION}", KeyProblem::Placeholder),
        ("a:whsec_8d1f6c0b97a24e35f7c9d2ab60e41358", KeyProblem::Stripes),
        ("a:sk_live_8d1f6c0b97a24e35f7c9d2ab60e41358", KeyProblem::Stripes),
        ("rk_test_8d1f6c0b97a24e35f7c9d2ab60e41358", KeyProblem::Stripes),
        ("pk_live_8d1f6c0b97a24e35", KeyProblem::Stripes),
    ];
    for (list, problem) in cases {
        check(list, 1, problem);
    }
}

#[test]
fn ids_are_plain_and_different() {
    for id in ["", "K2", "k_2", "k-2", "k 2", "é", "ninechars"] {
        check(&format!("{id}:{KEY_1}"), 1, KeyProblem::Id);
    }
    check(&format!("k2:{KEY_2},k2:{KEY_1}"), 2, KeyProblem::SameId);
    check(&format!("{KEY_2},{KEY_1}"), 2, KeyProblem::SameId);
    check(&format!("{KEY_2},1:{KEY_1}"), 2, KeyProblem::SameId);
    check(&format!("k2:{KEY_2},"), 2, KeyProblem::Empty);
    check(&format!("k2:{KEY_2};1:{KEY_1}"), 1, KeyProblem::Id);
}

#[test]
fn at_most_eight_keys_are_in_force() {
    let list: Vec<String> = (1..=9).map(|id| format!("{id}:{KEY_1}")).collect();
    assert!(SigningKeys::parse(&list[..8].join(",")).is_ok());
    check(&list.join(","), 9, KeyProblem::TooMany);
}

#[test]
fn a_key_without_an_id_has_the_id_1() {
    let alone = keys(KEY_1);
    assert_eq!(reference(&alone, &terms()), reference(&keys(&format!("1:{KEY_1}")), &terms()));
}

#[test]
fn blanks_around_the_commas_are_no_part_of_a_key() {
    let spaced = keys(&format!(" k2:{KEY_2} , 1:{KEY_1} "));
    assert_eq!(reference(&spaced, &terms()), reference(&both(), &terms()));
    assert!(verify(&spaced, "acme", &reference(&keys(KEY_1), &terms()), 0).is_ok());
}

#[test]
fn a_key_is_its_text_in_whatever_alphabet() {
    let texts = [
        KEY_2,
        &KEY_2.to_uppercase(),
        &KEY_2[..32],
        "hKx0mPq7/Rt+3Vw9yZ1bC4dE6fG8jL2nQ5sU7vX0aBc=",
        "correct-horse-battery-staple-and-more-of-it",
    ];
    let signed: Vec<String> = texts.map(|text| reference(&keys(text), &terms())).to_vec();
    for (at, reference) in signed.iter().enumerate() {
        let accepted = texts.map(|text| verify(&keys(text), "acme", reference, 0).is_ok());
        assert_eq!(accepted.iter().position(|is_ok| *is_ok), Some(at));
        assert_eq!(accepted.iter().filter(|is_ok| **is_ok).count(), 1);
    }
}

#[test]
fn a_key_shows_itself_nowhere() {
    assert_eq!(format!("{:?}", both()), "SigningKeys { first: Key(k2, …), rest: [Key(1, …)] }");
    let refusal = SigningKeys::parse("a:hunter2").unwrap_err();
    for shown in [refusal.to_string(), format!("{refusal:?}")] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let expected = "signing key number 1 is shorter than 32 bytes; is it cut off?";
    assert_eq!(refusal.to_string(), expected);
}
