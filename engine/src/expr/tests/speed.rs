//! Measures, when asked to: `cargo test --release -p towpath-engine speed -- --ignored --nocapture`.

use super::*;
use crate::event::{Event, Head};
use std::time::Instant;

#[test]
#[ignore = "a measurement, of use in a release build only"]
fn speed_of_three_expressions_over_a_body_that_is_read_lazily() {
    let body = json!({
        "id": "ord_01HZX3J8Q4", "total": 129.9, "currency": "EUR", "paid": true, "note": "leave it at the neighbour's door, please",
        "customer": { "id": 4711, "name": "Ada Lovelace", "email": "ada@example.com", "city": "London" },
        "lines": [{ "sku": "A1", "qty": 2, "price": 19.99 }, { "sku": "B2", "qty": 1, "price": 89.92 }], "x": "yyyyyyyyy",
    });
    let bytes = body.to_string().into_bytes();
    let head = Head { content_type: Some("application/json".into()), ..Head::default() };
    let template = Template::compile(&json!({
        "id": "{{ trigger.body.id }}", "total": "{{ trigger.body.total | number }}", "who": "{{ trigger.body.customer.name | upper }}"
    }))
    .unwrap();
    let rounds = 200_000;
    let best = |work: &mut dyn FnMut()| {
        (0..5)
            .map(|_| {
                let start = Instant::now();
                (0..rounds).for_each(|_| work());
                start.elapsed().as_nanos() / rounds
            })
            .min()
            .unwrap()
    };
    let event = Event { head, body: bytes.clone() };
    let whole = best(&mut || {
        let context = context_of(event.clone().into());
        std::hint::black_box(template.resolve(&context).unwrap());
    });
    let context = context_of(event.clone().into());
    let again = best(&mut || {
        std::hint::black_box(template.resolve(&context).unwrap());
    });
    let copy = best(&mut || {
        std::hint::black_box(context_of(event.clone().into()));
    });
    let parse = best(&mut || {
        std::hint::black_box(crate::json::read(&bytes).unwrap());
    });
    let serde = best(&mut || {
        std::hint::black_box(serde_json::from_slice::<Json>(&bytes).unwrap());
    });
    panic!(
        "{} bytes: context + parse + 3 expressions {whole} ns; the 3 expressions again {again} ns; the context alone {copy} ns; \
         json::read {parse} ns; serde_json alone {serde} ns",
        bytes.len()
    );
}
