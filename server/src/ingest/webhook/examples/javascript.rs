//! Node's own fetch and crypto.

use super::{Call, Code, Encoding, Piece, SECRET, SecretForm, joined, quoted};

pub fn write(call: &Call) -> String {
    let mut code = Code::default();
    let hmac = if call.sign.is_some() { "createHmac, " } else { "" };
    code.line(format!("import {{ {hmac}randomUUID }} from \"node:crypto\";")).line("");
    if call.secret {
        code.line("// The trigger's secret; never write it into the program.")
            .line(format!("const secret = process.env.{SECRET};"));
    }
    if let Some(body) = call.body {
        code.line(format!("const body = JSON.stringify({body});"));
    }
    code.line("// A new id for each event; the same one when you send it again.").line("const id = randomUUID();");
    if call.time {
        code.line("const time = String(Math.floor(Date.now() / 1000));");
    }
    if let Some(sign) = &call.sign {
        let key = match sign.key {
            SecretForm::Text => "secret".to_owned(),
            SecretForm::Standard => "Buffer.from(secret.replace(/^whsec_/, \"\"), \"base64\")".to_owned(),
        };
        let message = joined(&sign.message, " + ", "\"\"", |piece| write_piece(piece, call));
        let encoding = match sign.encoding {
            Encoding::Hex => "hex",
            Encoding::Base64 => "base64",
        };
        let name = sign.algorithm.name();
        code.line(format!("const signature = createHmac(\"{name}\", {key}).update({message}).digest(\"{encoding}\");"));
    }
    code.line("").line(format!("const answer = await fetch({}, {{", quoted(&call.url)));
    code.line(format!("  method: \"{}\",", call.method)).line("  headers: {");
    for (name, value) in &call.headers {
        let value = joined(value, " + ", "\"\"", |piece| write_piece(piece, call));
        code.line(format!("    {}: {value},", quoted(name)));
    }
    code.line("  },");
    if call.body.is_some() {
        code.line("  body,");
    }
    code.line("});").line("console.log(answer.status, await answer.text());");
    code.0
}

fn write_piece(piece: &Piece, call: &Call) -> String {
    match piece {
        Piece::Text(text) => quoted(text),
        Piece::Body if call.body.is_none() => "\"\"".into(),
        Piece::Body => "body".into(),
        Piece::Time => "time".into(),
        Piece::Id => "id".into(),
        Piece::Secret => "secret".into(),
        Piece::Signature => "signature".into(),
        Piece::Basic(user) => format!("Buffer.from({} + secret).toString(\"base64\")", quoted(&format!("{user}:"))),
    }
}
