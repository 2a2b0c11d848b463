//! Python's own library, nothing to install.

use super::{Call, Code, Encoding, Piece, SECRET, SecretForm, joined, quoted};

pub fn write(call: &Call) -> String {
    let mut code = Code::default();
    let (sign, basic) = (&call.sign, call.headers.iter().any(|(_, value)| value.iter().any(|it| matches!(it, Piece::Basic(_)))));
    let base64 = basic || sign.as_ref().is_some_and(|it| it.encoding == Encoding::Base64 || it.key == SecretForm::Standard);
    for (module, wanted) in [
        ("base64", base64),
        ("hashlib", sign.is_some()),
        ("hmac", sign.is_some()),
        ("json", call.body.is_some()),
        ("os", call.secret),
        ("time", call.time),
        ("urllib.error", true),
        ("urllib.request", true),
        ("uuid", true),
    ] {
        if wanted {
            code.line(format!("import {module}"));
        }
    }
    code.line("");
    if call.secret {
        code.line("# The trigger's secret; never write it into the program.").line(format!("secret = os.environ[\"{SECRET}\"]"));
    }
    if let Some(body) = call.body {
        code.line(format!("body = json.dumps({body})"));
    }
    code.line("# A new id for each event; the same one when you send it again.").line("delivery_id = str(uuid.uuid4())");
    if call.time {
        code.line("now = str(int(time.time()))");
    }
    if let Some(sign) = sign {
        code.line(match sign.key {
            SecretForm::Text => "key = secret.encode()",
            SecretForm::Standard => "key = base64.b64decode(secret.removeprefix(\"whsec_\"))",
        });
        let message = joined(&sign.message, " + ", "\"\"", |piece| write_piece(piece, call));
        let digest = format!("hmac.new(key, ({message}).encode(), hashlib.{})", sign.algorithm.name());
        code.line(match sign.encoding {
            Encoding::Hex => format!("signature = {digest}.hexdigest()"),
            Encoding::Base64 => format!("signature = base64.b64encode({digest}.digest()).decode()"),
        });
    }
    code.line("").line("request = urllib.request.Request(").line(format!("    {},", quoted(&call.url)));
    code.line(format!("    method=\"{}\",", call.method)).line("    headers={");
    for (name, value) in &call.headers {
        let value = joined(value, " + ", "\"\"", |piece| write_piece(piece, call));
        code.line(format!("        {}: {value},", quoted(name)));
    }
    code.line("    },");
    if call.body.is_some() {
        code.line("    data=body.encode(),");
    }
    code.line(")").line("try:").line("    with urllib.request.urlopen(request) as answer:");
    code.line("        print(answer.status, answer.read().decode())").line("except urllib.error.HTTPError as error:");
    code.line("    print(error.code, error.read().decode())");
    code.0
}

fn write_piece(piece: &Piece, call: &Call) -> String {
    match piece {
        Piece::Text(text) => quoted(text),
        Piece::Body if call.body.is_none() => "\"\"".into(),
        Piece::Body => "body".into(),
        Piece::Time => "now".into(),
        Piece::Id => "delivery_id".into(),
        Piece::Secret => "secret".into(),
        Piece::Signature => "signature".into(),
        Piece::Basic(user) => format!("base64.b64encode(({} + secret).encode()).decode()", quoted(&format!("{user}:"))),
    }
}
