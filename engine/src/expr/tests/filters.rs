//! The corners of the filters; what they do in the plain case is in their examples.

use super::*;
use proptest::prelude::*;

#[test]
fn text_filters_take_what_reads_as_text() {
    for (source, expected) in [
        ("12.0 | upper", json!("12")),
        ("null | upper", json!("")),
        ("true | title", json!("True")),
        ("\"don't stop-me NOW\" | title", json!("Don't Stop-Me Now")),
        ("'straße' | upper", json!("STRASSE")),
        ("'xxaxx' | trim('x')", json!("a")),
        ("'a b  c' | split(' ')", json!(["a", "b", "", "c"])),
        ("'' | split", json!([])),
        ("'a\\r\\n\\n b ' | lines", json!(["a", " b"])),
        ("['a', null, '', 'b', {x: 1}] | join('-')", json!("a-b-{\"x\":1}")),
        ("null | join", json!("")),
        ("'héllo wörld' | truncate(5)", json!("héll…")),
        ("'hello' | truncate(5)", json!("hello")),
        ("'hello' | truncate(3, '...')", json!("...")),
        ("'hello' | truncate(2, '...')", json!("..")),
        ("'hello' | truncate(0)", json!("")),
        ("'ab' | pad(4, '.', 'right')", json!("ab..")),
        ("'abcdef' | pad(3)", json!("abcdef")),
        ("'北京 Überraschung -- 2' | slug", json!("bei-jing-uberraschung-2")),
        ("'!!!' | slug", json!("")),
        ("'aXbX' | regex_find('[xX]$')", json!("X")),
        ("'ab' | regex_find('a(z)?b', 1) | default('none')", json!("none")),
        ("'a1b22' | regex_find_all('\\d+')", json!(["1", "22"])),
        ("'aaa' | regex_replace('^', '>')", json!(">aaa")),
        ("'a.b' | regex_replace('\\.', '$$')", json!("a$b")),
        ("{q: 'a b', n: 1.0, x: null} | url_encode", json!("q=a%20b&n=1&x=")),
        ("'a+b%20c' | url_decode", json!("a b c")),
        ("'_-8' | base64 | base64_decode", json!("_-8")),
        ("'PDw_Pz8-Pg' | base64_decode", json!("<<???>>")),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
    for (source, message) in [
        ("[1] | upper", "upper needs text, not a list. It saw a list of 1 item."),
        ("'a' | replace('', 'b')", "replace needs to know which text to replace; the first one is empty."),
        ("'a' | pad(3, 'xy')", "pad fills up with exactly one character."),
        ("'a' | pad(3, '.', 'up')", "pad fills up on the left or on the right. It saw \"up\"."),
        ("'a' | truncate(0 - 1)", "truncate needs a whole number from 0 to 1048576 here. It saw -1."),
        ("'a' | regex_find('a', 2)", "regex_find needs a whole number from 0 to 0 here. It saw 2."),
        ("'a' | regex_find('b') | upper", "The pattern isn't found in the text. Add | default(\"…\") if it may be missing."),
        ("'/w==' | base64_decode", "This Base64 holds bytes that are not text."),
        ("'?' | base64_decode", "This is not Base64."),
        ("'%ff' | url_decode", "This is not encoded text: decoded, it is not UTF-8."),
    ] {
        assert_eq!(complaint(source), message, "{source}");
    }
}

#[test]
fn number_filters_read_round_and_write_numbers() {
    for (source, expected) in [
        ("' 12 ' | number", json!(12)),
        ("'1e3' | number", json!(1000.0)),
        ("\"1'234.50\" | number('.')", json!(1234.5)),
        ("'12 345,6' | number(',')", json!(12345.6)),
        ("5 | number(',')", json!(5)),
        ("2.5 | round", json!(3)),
        ("-2.5 | round", json!(-3)),
        ("1.005 | round(2)", json!(1.01)),
        ("'2.71959' | round(3)", json!(2.72)),
        ("1e300 | round(2)", json!(1e300)),
        ("1e-300 | round(2)", json!(0)),
        ("-2.1 | floor", json!(-3)),
        ("-2.9 | ceil", json!(-2)),
        ("2.345 | floor(2)", json!(2.34)),
        ("1234.5 | format_number", json!("1,234.5")),
        ("0.5 | format_number('fr', 0)", json!("1")),
        ("-1234567 | format_number('de_CH')", json!("-1’234’567")),
        ("'99.999' | currency('usd')", json!("$100.00")),
        ("[] | sum", json!(0)),
        ("['1.5', 2, null] | sum", json!(3.5)),
        ("[0.1, 0.2, 0.3] | sum", json!(0.6)),
        ("[1, 2] | average", json!(1.5)),
        ("[{p: {n: 3}}, {p: {n: 1}}, {}] | min('p.n')", json!(1)),
        ("[] | max | default('none')", json!("none")),
        ("range(3)", json!([0, 1, 2])),
        ("range(5, 2)", json!([])),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
    for (source, message) in [
        ("null | number", "number needs a number, not an empty value (null). It saw null."),
        ("'12,5' | number", "number needs a number, not text. It saw \"12,5\"."),
        (
            "1 | format_number('xx')",
            "This language isn't known here; write its code, such as en, de, fr or de-CH. It saw \"xx\".",
        ),
        ("1 | currency('Euro')", "A currency has a code of three letters, such as EUR or USD. It saw \"EURO\"."),
        ("[1, 'x'] | sum", "sum needs numbers, not text. It saw \"x\"."),
        ("[1, 'x'] | max", "Text and a number can't be compared. Write | number after the text. It saw \"x\" and 1."),
        ("1.5 | round(1.5)", "round needs a whole number from 0 to 20 here. It saw 1.5."),
        ("random(5, 1)", "random needs the smaller number first. It saw a list of 2 items."),
        ("[] | average", "An empty list has no average."),
    ] {
        assert_eq!(complaint(source), message, "{source}");
    }
}

#[test]
fn date_filters_know_months_zones_and_changes_of_the_clocks() {
    for (source, expected) in [
        ("'2026-11-20' | date", json!("2026-11-20T00:00:00Z")),
        ("'2026-07-01 12:00' | date('Europe/Berlin')", json!("2026-07-01T12:00:00+02:00")),
        ("'2026-07-01T12:00:00Z' | date('europe/berlin')", json!("2026-07-01T14:00:00+02:00")),
        // The hour that the clocks skip, and the one that they show twice.
        ("'2026-03-29 02:30' | date('Europe/Berlin')", json!("2026-03-29T03:30:00+02:00")),
        ("'2026-10-25 02:30' | date('Europe/Berlin')", json!("2026-10-25T02:30:00+02:00")),
        ("'2026-11-20T10:25:30.250+01:00' | date", json!("2026-11-20T10:25:30.250+01:00")),
        ("'2028-02-29' | add(1, 'year')", json!("2029-02-28T00:00:00Z")),
        ("'2026-11-20' | add(0 - 2, 'weeks')", json!("2026-11-06T00:00:00Z")),
        ("'2026-11-20T23:30:00+01:00' | add(45, 'minutes')", json!("2026-11-21T00:15:00+01:00")),
        ("'2026-11-20' | add(1)", json!("2026-11-21T00:00:00Z")),
        ("'2026-11-20' | add('3', 'quarters')", json!("2027-08-20T00:00:00Z")),
        ("'2026-01-31' | difference('2026-03-30', 'months')", json!(1)),
        ("'2026-03-31' | difference('2026-01-30', 'months')", json!(-2)),
        ("'1990-05-17' | difference('2026-11-20', 'years')", json!(36)),
        ("'2026-11-20T10:00:00Z' | difference('2026-11-20T11:59:59Z', 'hours')", json!(1)),
        ("'2026-11-20T10:00:00Z' | difference('2026-11-20T11:00:00+01:00', 'seconds')", json!(0)),
        ("'2026-11-20T10:25:00Z' | start_of('week')", json!("2026-11-16T00:00:00Z")),
        ("'2026-11-20T10:25:00Z' | start_of('quarter')", json!("2026-10-01T00:00:00Z")),
        ("'2026-11-20T10:25:00Z' | start_of('year')", json!("2026-01-01T00:00:00Z")),
        ("'2026-11-20T10:25:30Z' | start_of('hour')", json!("2026-11-20T10:00:00Z")),
        ("'2026-11-20T23:30:00Z' | start_of('day', 'Europe/Berlin')", json!("2026-11-21T00:00:00+01:00")),
        ("'2026-07-15T00:00:00Z' | start_of('year', 'Europe/Berlin')", json!("2026-01-01T00:00:00+01:00")),
        ("'2026-10-25T01:30:00Z' | start_of('hour', 'Europe/Berlin')", json!("2026-10-25T02:00:00+01:00")),
        ("1795170300250 | from_timestamp", json!("2026-11-20T10:25:00.250Z")),
        ("now | timestamp('milliseconds')", json!(1_795_170_300_500_i64)),
        ("now | format_date('HH:mm', 'Asia/Kolkata')", json!("15:55")),
        ("steps.find.status | from_timestamp", json!("1970-01-01T00:03:20Z")),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
    for (source, message) in [
        (
            "'11/20/2026' | date",
            "date needs a date such as 2026-11-20, 2026-11-20 10:25 or 2026-11-20T10:25:00+01:00, not text. It saw \"11/20/2026\".",
        ),
        (
            "now | add(1, 'fortnight')",
            "A unit of time is one of seconds, minutes, hours, days, weeks, months, quarters and years. It saw \"fortnight\".",
        ),
        ("now | add(9000, 'years')", "The result isn't a date in the years 1 to 9999."),
        ("now | add(1.5, 'days')", "add needs a whole number from -1000000000000 to 1000000000000 here. It saw 1.5."),
        ("1e30 | from_timestamp", "This number is not the time of a date in the years 1 to 9999."),
    ] {
        assert_eq!(complaint(source), message, "{source}");
    }
}

#[test]
fn list_and_object_filters_take_fields_inside_fields_and_null_as_nothing() {
    for (source, expected) in [
        ("null | first | default('none')", json!("none")),
        ("'é!' | last", json!("!")),
        ("null | length", json!(0)),
        ("trigger.body.lines | map_to('price') | sum", json!(24.99)),
        ("['b', 10, 'A', 9, null, true] | sort", json!([null, true, 9, 10, "A", "b"])),
        ("['b', 'a'] | sort(descending=true)", json!(["b", "a"])),
        ("[{a: {n: 2}}, {a: {n: 1}}, {}] | sort('a.n') | map_to('a.n')", json!([null, 1, 2])),
        ("[1, 1.0, '1', [1], [1]] | unique", json!([1, "1", [1]])),
        ("trigger.body.lines | unique('missing') | length", json!(1)),
        ("[{a: 1}, {a: 1.0}, {a: '1'}] | filter_by('a', 1) | length", json!(2)),
        ("[{a: 1}, {a: 0}, {}] | filter_by('a')", json!([{ "a": 1 }])),
        ("[{a: null}, {b: 1}] | filter_by('a', null) | length", json!(2)),
        ("[{c: 1}, {c: 1.0}, {}] | group_by('c') | keys", json!(["1", ""])),
        ("'hello' | slice(1, -1)", json!("ell")),
        ("[1, 2, 3] | slice(-2)", json!([2, 3])),
        ("[1, [2, [3, [4]]]] | flatten(2)", json!([1, 2, 3, [4]])),
        ("null | append(1)", json!([1])),
        ("{a: {b: 1}} | get('a.b')", json!(1)),
        ("{'a.b': 2, a: {b: 1}} | get('a.b')", json!(2)),
        ("{a: 1} | get('x', 'none')", json!("none")),
        ("null | get('x') | default(0)", json!(0)),
        ("{a: 1} | pick('x, a')", json!({ "a": 1 })),
        ("{a: 1, b: 2} | omit(['a', 'x'])", json!({ "b": 2 })),
        ("{a: 1} | entries | from_entries", json!({ "a": 1 })),
        ("'' | default('x')", json!("")),
        ("'' | default('x', true)", json!("x")),
        ("false | default('x')", json!(false)),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
    for (source, message) in [
        ("'x' | sort", "sort needs a list, not text. It saw \"x\"."),
        ("5 | length", "length needs a list, an object or text, not a number. It saw 5."),
        ("[1] | keys", "keys needs an object, not a list. It saw a list of 1 item."),
        ("{a: 1} | get('x')", "There is no field \"x\" in this object; it has a."),
        ("[1] | from_entries", "from_entries needs items with key and value, not a number. It saw 1."),
    ] {
        assert_eq!(complaint(source), message, "{source}");
    }
}

#[test]
fn data_goes_out_and_comes_back() {
    for (source, expected) in [
        ("{a: [1]} | json(true)", json!("{\n  \"a\": [\n    1\n  ]\n}")),
        ("'[123456789012345678901]' | parse_json", json!(["123456789012345678901"])),
        ("[[1, 'a,b'], [null, true]] | csv(';')", json!("1;a,b\n;true\n")),
        ("[{a: 1}, {b: 2}] | csv(header=false)", json!("1,\n,2\n")),
        ("[] | csv", json!("")),
        ("'a\\tb\\n1\\t\"x\\ty\"' | parse_csv", json!([{ "a": "1", "b": "x\ty" }])),
        ("'\\ufeffa;b\\n1;2;3' | parse_csv", json!([{ "a": "1", "b": "2", "column 3": "3" }])),
        ("'1,2\\n3' | parse_csv(header=false)", json!([["1", "2"], ["3"]])),
        ("'a\\n1' | parse_csv", json!([{ "a": "1" }])),
        ("'' | parse_csv", json!([])),
        (
            "{order: {'@id': 1, '#text': 'a<b', empty: null, tag: [1, {x: 2}]}} | xml",
            json!("<order id=\"1\">a&lt;b<empty/><tag>1</tag><tag><x>2</x></tag></order>"),
        ),
        ("'<a>x &amp; &#x41;<![CDATA[<y>]]></a>' | parse_xml", json!({ "a": "x & A<y>" })),
        (
            "'<?xml version=\"1.0\"?><!-- c --><a b=\"1 &lt; 2\"><c/></a>' | parse_xml",
            json!({ "a": { "@b": "1 < 2", "c": null } }),
        ),
        ("'x' | hash", json!("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")),
        ("'x' | hash('SHA-1') | length", json!(40)),
        ("'x' | hash('sha512') | length", json!(128)),
        (
            "'what do ya want for nothing?' | hmac('Jefe')",
            json!("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ),
        ("'what do ya want for nothing?' | hmac('Jefe', 'sha1', 'base64')", json!("7/zfauXrL6LSdBbV8YTfnCWafHk=")),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
    for (source, message) in [
        ("'x' | hash('crc')", "The algorithm is one of sha256, sha384, sha512, sha1 and, for hash, md5. It saw \"crc\"."),
        ("[1] | csv", "csv needs a list of objects or of lists, not a number. It saw 1."),
        ("[[]] | csv('--')", "The separator of CSV is one character, such as a comma, a semicolon or tab. It saw \"--\"."),
        ("{a: [[1]]} | xml", "xml needs no lists directly in lists, not a list. It saw a list of 1 item."),
    ] {
        assert_eq!(complaint(source), message, "{source}");
    }
}

/// What a filter chain makes of a value that was sent.
fn through(value: &Json, chain: &str) -> Option<Json> {
    Template::expression(&format!("trigger.body.it | {chain}")).unwrap().resolve(&context(json!({ "it": value }))).unwrap()
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(text in any::<String>()) {
        for chain in ["base64 | base64_decode", "json | parse_json", "url_encode | url_decode"] {
            prop_assert_eq!(through(&json!(text), chain), Some(json!(text)), "{}", chain);
        }
    }

    #[test]
    fn a_table_comes_back_from_csv(rows in prop::collection::vec(("[a-z,;\"\n ]{1,8}", "[0-9|\t']{0,5}"), 1..6)) {
        let rows: Vec<Json> = rows.into_iter().map(|(a, b)| json!({ "one": a, "two": b })).collect();
        prop_assert_eq!(through(&json!(rows), "csv | parse_csv(',')"), Some(json!(rows)));
    }

    #[test]
    fn an_object_comes_back_from_xml(fields in prop::collection::btree_map("[a-z][a-z0-9_.-]{0,5}", "[a-z&<>\"'é]{1,8}", 1..6)) {
        let value = json!({ "root": fields });
        prop_assert_eq!(through(&value, "xml | parse_xml"), Some(value));
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>(), markup in "[<>/a-c=\"'&;!\\[\\]CDATA?-]{0,40}") {
        for text in [text, markup] {
            let context = context(json!({ "it": text }));
            for chain in ["parse_xml", "parse_json", "parse_csv", "date", "number", "slug", "title", "base64_decode", "url_decode", "number(',')"] {
                let _ = Template::expression(&format!("trigger.body.it | {chain}")).unwrap().resolve(&context);
            }
            let _ = Template::expression("now | format_date(trigger.body.it)").unwrap().resolve(&context).unwrap();
            let _ = Template::expression("'abc' | regex_replace(trigger.body.it, trigger.body.it)").unwrap().resolve(&context);
        }
    }

    #[test]
    fn months_are_added_and_counted_alike(day in 0..20_000_i64, months in -600..600_i64) {
        let start = moment("1990-01-01T00:00:00Z") + chrono::TimeDelta::days(day);
        // The 29th and later don't exist in every month.
        if chrono::Datelike::day(&start) <= 28 {
            let chain = format!("difference(trigger.body.it | add({months}, 'months'), 'months')");
            prop_assert_eq!(through(&json!(start.to_rfc3339()), &chain), Some(json!(months)));
        }
    }

    #[test]
    fn sorting_puts_everything_in_order(items in prop::collection::vec(prop_oneof![
        any::<i64>().prop_map(Json::from), any::<f64>().prop_map(Json::from), "[a-cA-C]{0,3}".prop_map(Json::from), Just(Json::Null), any::<bool>().prop_map(Json::from),
    ], 0..20)) {
        let sorted = through(&json!(items), "sort").unwrap();
        prop_assert_eq!(sorted.as_array().unwrap().len(), items.len());
        prop_assert_eq!(through(&sorted, "sort").unwrap(), sorted.clone());
        let mut backwards = items.clone();
        backwards.reverse();
        let again = through(&json!(backwards), "sort | unique").unwrap();
        prop_assert_eq!(through(&sorted, "unique | length"), through(&again, "length"));
    }
}
