//! PHP without extensions.

use super::{Call, Code, Encoding, Piece, SECRET, SecretForm, joined};

pub fn write(call: &Call) -> String {
    let mut code = Code::default();
    code.line("<?php");
    if call.secret {
        code.line("// The trigger's secret; never write it into the program.").line(format!("$secret = getenv('{SECRET}');"));
    }
    if let Some(body) = call.body {
        code.line(format!("$body = {};", single(body)));
    }
    code.line("// A new id for each event; the same one when you send it again.").line("$id = bin2hex(random_bytes(16));");
    if call.time {
        code.line("$time = (string) time();");
    }
    if let Some(sign) = &call.sign {
        let key = match sign.key {
            SecretForm::Text => "$secret",
            SecretForm::Standard => "base64_decode(preg_replace('/^whsec_/', '', $secret))",
        };
        let message = joined(&sign.message, " . ", "''", |piece| write_piece(piece, call));
        let name = sign.algorithm.name();
        code.line(match sign.encoding {
            Encoding::Hex => format!("$signature = hash_hmac('{name}', {message}, {key});"),
            Encoding::Base64 => format!("$signature = base64_encode(hash_hmac('{name}', {message}, {key}, true));"),
        });
    }
    code.line("").line("$context = stream_context_create(['http' => [");
    code.line(format!("    'method' => '{}',", call.method)).line("    'ignore_errors' => true,").line("    'header' => [");
    for (name, value) in &call.headers {
        let value = joined(value, " . ", "''", |piece| write_piece(piece, call));
        code.line(format!("        {} . {value},", single(&format!("{name}: "))));
    }
    code.line("    ],");
    if call.body.is_some() {
        code.line("    'content' => $body,");
    }
    code.line("]]);").line(format!("$answer = file_get_contents({}, false, $context);", single(&call.url)));
    code.line("echo $http_response_header[0], ' ', $answer, PHP_EOL;");
    code.0
}

fn write_piece(piece: &Piece, call: &Call) -> String {
    match piece {
        Piece::Text(text) => single(text),
        Piece::Body if call.body.is_none() => "''".into(),
        Piece::Body => "$body".into(),
        Piece::Time => "$time".into(),
        Piece::Id => "$id".into(),
        Piece::Secret => "$secret".into(),
        Piece::Signature => "$signature".into(),
        Piece::Basic(user) => format!("base64_encode({} . $secret)", single(&format!("{user}:"))),
    }
}

/// In single quotes only the quote and the backslash have a meaning.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}
