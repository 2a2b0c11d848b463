//! Java's own HTTP client, as one file that `java` runs as it is.

use super::{Algorithm, Call, Code, Encoding, Piece, SECRET, SecretForm, joined, quoted};

pub fn write(call: &Call) -> String {
    let mut code = Code::default();
    for import in [
        "java.net.URI",
        "java.net.http.HttpClient",
        "java.net.http.HttpRequest",
        "java.net.http.HttpResponse",
        "java.nio.charset.StandardCharsets",
        "java.util.Base64",
        "java.util.HexFormat",
        "java.util.UUID",
    ] {
        code.line(format!("import {import};"));
    }
    if call.sign.is_some() {
        code.line("import javax.crypto.Mac;").line("import javax.crypto.spec.SecretKeySpec;");
    }
    code.line("").line("public class Send {").line("    public static void main(String[] arguments) throws Exception {");
    if call.secret {
        code.line("        // The trigger's secret; never write it into the program.");
        code.line(format!("        String secret = System.getenv(\"{SECRET}\");"));
    }
    if let Some(body) = call.body {
        code.line(format!("        String body = {};", quoted(body)));
    }
    code.line("        // A new id for each event; the same one when you send it again.");
    code.line("        String id = UUID.randomUUID().toString();");
    if call.time {
        code.line("        String time = String.valueOf(System.currentTimeMillis() / 1000);");
    }
    if let Some(sign) = &call.sign {
        let name = match sign.algorithm {
            Algorithm::Sha1 => "HmacSHA1",
            Algorithm::Sha256 => "HmacSHA256",
            Algorithm::Sha512 => "HmacSHA512",
        };
        let key = match sign.key {
            SecretForm::Text => "secret.getBytes(StandardCharsets.UTF_8)",
            SecretForm::Standard => "Base64.getDecoder().decode(secret.replaceFirst(\"^whsec_\", \"\"))",
        };
        let message = joined(&sign.message, " + ", "\"\"", |piece| write_piece(piece, call));
        code.line(format!("        Mac mac = Mac.getInstance(\"{name}\");"));
        code.line(format!("        mac.init(new SecretKeySpec({key}, \"{name}\"));"));
        code.line(format!("        byte[] digest = mac.doFinal(({message}).getBytes(StandardCharsets.UTF_8));"));
        code.line(match sign.encoding {
            Encoding::Hex => "        String signature = HexFormat.of().formatHex(digest);",
            Encoding::Base64 => "        String signature = Base64.getEncoder().encodeToString(digest);",
        });
    }
    code.line("").line(format!("        HttpRequest request = HttpRequest.newBuilder(URI.create({}))", quoted(&call.url)));
    for (name, value) in &call.headers {
        let value = joined(value, " + ", "\"\"", |piece| write_piece(piece, call));
        code.line(format!("            .header({}, {value})", quoted(name)));
    }
    let body = if call.body.is_some() { "ofString(body)" } else { "noBody()" };
    code.line(format!("            .method(\"{}\", HttpRequest.BodyPublishers.{body})", call.method))
        .line("            .build();");
    code.line(
        "        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());",
    );
    code.line("        System.out.println(answer.statusCode() + \" \" + answer.body());").line("    }").line("}");
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
        Piece::Basic(user) => {
            let user = quoted(&format!("{user}:"));
            format!("Base64.getEncoder().encodeToString(({user} + secret).getBytes(StandardCharsets.UTF_8))")
        }
    }
}
