//! Damaged and hostile files: a clear error, no code run, no panic, no hang.

use std::fs;

use proptest::prelude::*;
use sureness_scorers::replay::{Place, Problem};

use super::{fixture, message, pickle, read_as};

#[test]
fn truncated_anywhere_is_an_error() {
    for name in [
        "f4_protocol0.pkl",
        "f4_protocol2.pkl",
        "f4_protocol4.pkl",
        "f4_protocol5.pkl",
        "list.parquet",
    ] {
        let whole = fs::read(fixture(name)).unwrap();
        let extension = name.rsplit('.').next().unwrap();
        for length in 0..whole.len() {
            read_as(extension, &whole[..length]).expect_err("a part is not the whole");
        }
    }
    let whole = fs::read(fixture("f4_protocol4.pkl")).unwrap();
    let cut = pickle(&whole[..200]).unwrap_err();
    assert!(matches!(cut.problem, Problem::Truncated { .. }), "{cut}");
    assert_eq!(message(pickle(b"")), "the file holds no rows");
}

#[test]
fn what_follows_the_end_is_refused() {
    let mut bytes = fs::read(fixture("list_protocol2.pkl")).unwrap();
    let end = bytes.len() - 1;
    bytes.extend_from_slice(b"cos\nsystem\n.");
    let error = pickle(&bytes).unwrap_err();
    assert_eq!(error.place, Place::Byte(end));
    assert!(matches!(error.problem, Problem::Trailing { bytes: 12 }));
}

#[test]
fn code_is_refused_by_name_and_never_run() {
    let cases: [(&[u8], &str); 12] = [
        (b"cos\nsystem\n(S'touch x'\ntR.", "os.system"),
        (
            b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00exit\x85R.",
            "posix.system",
        ),
        (
            b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.",
            "builtins.eval",
        ),
        // The name is hidden in the memo and in old-style escapes.
        (
            b"\x80\x04\x8c\x02nt\x94\x8c\x06system\x94h\x00h\x01\x93.",
            "nt.system",
        ),
        (b"Vo\\u0073\nVsystem\n\x93.", "os.system"),
        (b"S'o\\x73'\nS'system'\n\x93.", "os.system"),
        (b"(S'touch x'\nios\nsystem\n.", "os.system"),
        (b"(cos\nsystem\nS'x'\no.", "os.system"),
        (b"\x80\x02csubprocess\nPopen\n)\x81.", "subprocess.Popen"),
        (
            b"\x80\x04\x8c\x05numpy\x8c\x0cload.os.exit\x93.",
            "numpy.load.os.exit",
        ),
        (
            b"cnumpy.core.multiarray\nfromfile\n.",
            "numpy.core.multiarray.fromfile",
        ),
        (
            b"ctorch._utils\n_rebuild_tensor_v2\n.",
            "torch._utils._rebuild_tensor_v2",
        ),
    ];
    for (bytes, name) in cases {
        let message = message(pickle(bytes));
        let expected = format!("the pickle would run `{name}`; it was not run");
        assert!(message.ends_with(&expected), "{message}");
    }
}

#[test]
fn hostile_names_do_not_reach_the_terminal() {
    let message = message(pickle(b"c\x1b[2Jos\nsys\x07tem\n."));
    assert!(message.contains(r"`\u{1b}[2Jos.sys\u{7}tem`"), "{message}");
    let mut long = b"c".to_vec();
    long.extend(vec![b'a'; 1 << 20]);
    long.extend(b"\nf\n.");
    assert!(pickle(&long).unwrap_err().to_string().len() < 400);
}

#[test]
fn known_names_used_in_unknown_ways() {
    let cases: [(&[u8], &str); 13] = [
        (b"(cnumpy\nndarray\no.", "the instruction OBJ"),
        (b"cnumpy\ndtype\n)\x81.", "the instruction NEWOBJ"),
        (b"cnumpy\ndtype\n)}\x92.", "the instruction NEWOBJ_EX"),
        (b"(inumpy\nndarray\n.", "the instruction INST"),
        (b"\x82\x01.", "a registered extension"),
        (b"\x83\x01\x00.", "a registered extension"),
        (b"\x84\x01\x00\x00\x00.", "a registered extension"),
        (b"P1\n.", "a persistent object"),
        (b"K\x01Q.", "a persistent object"),
        (b"\x97.", "a buffer"),
        (b"\x8f.", "the instruction EMPTY_SET"),
        (b"}}b.", "the instruction BUILD"),
        (b"\xfe.", "the unknown instruction 0xfe"),
    ];
    for (bytes, expected) in cases {
        let message = message(pickle(bytes));
        assert!(message.contains(expected), "{bytes:?}: {message}");
    }
}

#[test]
fn claimed_lengths_are_not_believed() {
    for bytes in [
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f".as_slice(),
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x80\x05\x96\x00\x10\x00\x00\x00\x00\x00\x00",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x00].",
        b"X\xff\xff\xff\xff.",
        b"\x8b\xff\xff\xff\xff.",
    ] {
        let error = pickle(bytes).unwrap_err();
        assert!(
            matches!(error.problem, Problem::Truncated { .. }),
            "{error}"
        );
    }
    // Memo indices beyond the file.
    assert!(message(pickle(b"]r\xff\x0f\x00\x00.")).contains("keeps more values than it can hold"));
    assert!(message(pickle(b"]p9999\n.")).contains("keeps more values than it can hold"));
    assert!(message(pickle(b"j\xff\xff\xff\xff.")).contains("that it did not keep"));
}

#[test]
fn an_array_that_claims_more_than_it_has() {
    let mut bytes = fs::read(fixture("f4_protocol4.pkl")).unwrap();
    // `(1, (3,), …`: the shape of the first array.
    let shape = bytes
        .windows(5)
        .position(|it| it == b"(K\x01K\x03")
        .unwrap()
        + 4;
    bytes[shape] = 4;
    assert!(message(pickle(&bytes)).contains("row 1: field `logits_options` claims 4 values"));
    bytes[shape] = 200;
    assert!(message(pickle(&bytes)).contains("row 1: there are 200 values"));
}

#[test]
fn a_footer_that_claims_more_than_it_holds_is_refused() {
    let whole = fs::read(fixture("list.parquet")).unwrap();
    let (rest, length) = whole
        .strip_suffix(b"PAR1")
        .and_then(<[u8]>::split_last_chunk::<4>)
        .unwrap();
    let length = u32::from_le_bytes(*length);
    let (pages, footer) = rest.split_at(rest.len() - length as usize);
    let (end, fields) = footer.split_last().unwrap();
    assert_eq!(*end, 0, "the structure ends here");
    // A further field: three truth values, of which none is there, and forty numbers likewise. Few
    // enough that no reader is kept busy.
    for field in [[0xf9, 0x31].as_slice(), &[0xf9, 0xf5, 40]] {
        let length = length + field.len() as u32;
        let length = length.to_le_bytes();
        let damaged = [pages, fields, field, &[0], &length, b"PAR1"].concat();
        assert_eq!(
            message(read_as("parquet", &damaged)),
            "the Parquet file is damaged (its footer)"
        );
    }
}

#[test]
fn deep_and_cyclic_structures() {
    // Five million nested lists: nothing may recurse, neither reading nor dropping.
    let mut nested = vec![b']'; 5_000_000];
    nested.extend(vec![b'a'; 4_999_999]);
    nested.push(b'.');
    assert!(message(pickle(&nested)).contains("expected a dictionary"));
    // A list that holds itself.
    assert!(message(pickle(b"]q\x00h\x00a.")).contains("row 1: expected a dictionary"));
}

#[test]
fn many_rows_that_share_something_huge_end_at_once() {
    // One dictionary of a million keys in a million rows, and one long list in as many.
    let mut shared_dict = b"]}q\x00(".to_vec();
    shared_dict.extend(b"K\x01K\x01".repeat(1_000_000));
    shared_dict.extend(b"X\x02\x00\x00\x00idK\x05X\x06\x00\x00\x00logits](K\x01K\x02eu0(");
    shared_dict.extend(b"h\x00".repeat(1_000_000));
    shared_dict.extend(b"e.");
    assert_eq!(
        message(pickle(&shared_dict)),
        "row 2: id 5 occurs a second time"
    );

    let mut shared_list = b"]](".to_vec();
    shared_list.extend(b"K\x01".repeat(1_000_000));
    shared_list.extend(b"eq\x000(");
    for id in 0..20_000_u16 {
        shared_list.extend(b"}(X\x02\x00\x00\x00idM");
        shared_list.extend(id.to_le_bytes());
        shared_list.extend(b"X\x06\x00\x00\x00logitsh\x00u");
    }
    shared_list.extend(b"e.");
    assert_eq!(
        message(pickle(&shared_list)),
        "row 1: there are 1000000 values, but a question has 2 to 26 options"
    );
}

/// Reading `bytes` must end, and accepted rows must be valid.
fn survives(extension: &str, bytes: &[u8]) {
    if let Ok(read) = read_as(extension, bytes) {
        assert_eq!(read.values.len(), read.ids.len() * read.width);
        assert!(read.values.iter().all(|value| value.is_finite()));
        if let Some(wide) = read.values64 {
            assert_eq!(wide.len(), read.values.len());
        }
    }
}

fn mutated(names: &'static [&'static str]) -> impl Strategy<Value = (String, Vec<u8>)> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..8);
    (prop::sample::select(names), edits).prop_map(|(name, edits)| {
        let mut bytes = fs::read(fixture(name)).unwrap();
        for (index, byte, kind) in edits {
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        (name.rsplit('.').next().unwrap().to_owned(), bytes)
    })
}

/// Instructions with small arguments, which get further than random bytes.
fn program() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"(",
        b"]",
        b"}",
        b")",
        b"a",
        b"e",
        b"s",
        b"u",
        b"t",
        b"l",
        b"d",
        b"0",
        b"1",
        b"2",
        b"b",
        b"R",
        b"\x85",
        b"\x86",
        b"\x87",
        b"\x93",
        b"\x94",
        b"N",
        b"\x88",
        b"K\x01",
        b"K\x02",
        b"h\x00",
        b"h\x01",
        b"q\x00",
        b"q\x03",
        b"C\x01<",
        b"\x8c\x02id",
        b"\x8c\x06logits",
        b"\x8c\x02f4",
        b"\x8c\x06latin1",
        b"V\\u0041\n",
        b"S'\\x41'\n",
        b"cnumpy\nndarray\n",
        b"cnumpy\ndtype\n",
        b"c_codecs\nencode\n",
        b"cnumpy.core.multiarray\n_reconstruct\n",
        b"cnumpy.core.multiarray\nscalar\n",
        b"cnumpy._core.numeric\n_frombuffer\n",
        b"G?\xf0\x00\x00\x00\x00\x00\x00",
        b"L-3L\n",
        b"\x8a\x02\xff\x7f",
        b".",
    ];
    prop::collection::vec(prop::sample::select(pieces), 1..60)
        .prop_map(|pieces| [pieces.concat(), b".".to_vec()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for extension in ["pkl", "jsonl", "csv"] {
            survives(extension, &bytes);
        }
    }

    #[test]
    fn random_programs_never_panic(bytes in program()) {
        survives("pkl", &bytes);
    }

    #[test]
    fn damaged_pickles_never_panic((extension, bytes) in mutated(&[
        "f4_protocol0.pkl", "f4_protocol1.pkl", "f4_protocol2.pkl", "f4_protocol4.pkl",
        "f4_protocol5.pkl", "scalars_protocol0.pkl", "scalars_protocol4.pkl", "list_protocol0.pkl",
        "f8_big_endian_protocol3.pkl", "tuples.pkl", "optional_fields.pkl", "i8_array.pkl",
    ])) {
        survives(&extension, &bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_parquet_never_panics(
        (extension, bytes) in mutated(&["list.parquet", "columns.parquet", "null_id.parquet"])
    ) {
        survives(&extension, &bytes);
    }
}
