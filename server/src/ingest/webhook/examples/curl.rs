//! A shell script: curl, and OpenSSL where something is signed.

use super::{Call, Code, Encoding, Piece, SECRET, SecretForm, joined};

pub fn write(call: &Call) -> String {
    let mut code = Code::default();
    code.line("#!/bin/bash").line("set -euo pipefail").line("");
    if call.secret {
        code.line(format!("# The trigger's secret; never write it into the script.\nsecret=${{{SECRET}:?}}"));
    }
    if let Some(body) = call.body {
        code.line(format!("body={}", single(body)));
    }
    code.line("# A new id for each event; the same one when you send it again.").line("id=$(cat /proc/sys/kernel/random/uuid)");
    if call.time {
        code.line("time=$(date +%s)");
    }
    if let Some(sign) = &call.sign {
        let key = match sign.key {
            SecretForm::Text => "printf %s \"$secret\"",
            SecretForm::Standard => "printf %s \"${secret#whsec_}\" | base64 -d",
        };
        // A shell's text can't hold NUL: the key goes on as hexadecimal.
        code.line(format!("key=$({key} | od -An -v -tx1 | tr -d ' \\n')"));
        let encode = match sign.encoding {
            Encoding::Hex => "od -An -v -tx1 | tr -d ' \\n'",
            Encoding::Base64 => "base64 -w 0",
        };
        code.line(format!(
            "signature=$(printf %s {} | openssl dgst -{} -mac HMAC -macopt \"hexkey:$key\" -binary | {encode})",
            joined(&sign.message, "", "''", |piece| write_piece(piece, call)),
            sign.algorithm.name()
        ));
    }
    code.line("")
        .line(format!("curl --silent --show-error --write-out '\\n%{{http_code}}\\n' -X {} \\", call.method))
        .line(format!("  {} \\", single(&call.url)));
    for (name, value) in &call.headers {
        code.line(format!("  -H {} \\", header(name, value, call)));
    }
    code.line(if call.body.is_some() { "  --data-binary \"$body\"" } else { "  --max-time 30" });
    code.0
}

/// One word for the shell; a value of nothing but text needs one pair of quotes.
fn header(name: &str, value: &[Piece], call: &Call) -> String {
    match value {
        [Piece::Text(text)] => single(&format!("{name}: {text}")),
        _ => single(&format!("{name}: ")) + &joined(value, "", "''", |piece| write_piece(piece, call)),
    }
}

fn write_piece(piece: &Piece, call: &Call) -> String {
    match piece {
        Piece::Text(text) => single(text),
        Piece::Body if call.body.is_none() => "''".into(),
        Piece::Body => "\"$body\"".into(),
        Piece::Time => "\"$time\"".into(),
        Piece::Id => "\"$id\"".into(),
        Piece::Secret => "\"$secret\"".into(),
        Piece::Signature => "\"$signature\"".into(),
        Piece::Basic(user) => format!("\"$(printf %s {}:\"$secret\" | base64 -w 0)\"", single(user)),
    }
}

/// In single quotes nothing has a meaning but a single quote.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
