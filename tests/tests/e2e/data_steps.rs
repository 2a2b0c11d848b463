//! A workflow of data steps, from the webhook's body to its answer.

use crate::first_run::{ended, send};
use serde_json::{Value, json};
use towpath_tests::TestApp;

fn report() -> Value {
    json!({
        "name": "Unpaid orders",
        "trigger": { "use": "webhook", "input": { "respond": "when_done" } },
        "steps": [
            { "id": "payments", "use": "csv.read", "input": { "text": "{{ trigger.body.csv }}" } },
            { "id": "once", "use": "list.deduplicate", "input": { "list": "{{ trigger.body.orders }}", "key": "{{ item.id }}" } },
            { "id": "check", "use": "list.reconcile", "input": {
                "list": "{{ steps.once.items }}", "key": "{{ item.id }}", "other": "{{ steps.payments.items }}", "other_key": "{{ item.order }}",
                "values": { "amount": "{{ item.total }}" }, "other_values": { "amount": "{{ item.amount }}" } } },
            { "id": "large", "use": "list.filter", "input": { "list": "{{ steps.check.missing_in_second }}",
                "condition": { "all": [{ "value": "{{ item.total }}", "is": "at_least", "to": 10 }] } } },
            { "id": "named", "use": "list.join", "input": { "list": "{{ steps.large.items }}", "key": "{{ item.customer }}",
                "other": "{{ trigger.body.customers }}", "other_key": "{{ item.no }}", "prefix": "customer_" } },
            { "id": "sorted", "use": "list.sort", "input": { "list": "{{ steps.named.items }}", "by": "{{ item.total }}", "order": "descending" } },
            { "id": "cities", "use": "list.group", "input": { "list": "{{ steps.sorted.items }}", "key": "{{ item.city }}",
                "sum": { "open": "{{ item.total }}" }, "keep_items": false } },
            { "id": "letter", "use": "text.format", "input": { "times": "each", "list": "{{ steps.sorted.items }}",
                "line": "{{ item.customer_name | default('?') }} owes {{ item.total }}", "between": "comma" } },
            { "id": "table", "use": "csv.write", "input": { "list": "{{ steps.sorted.items }}",
                "columns": { "Customer": "{{ item.customer }}", "Total": "{{ item.total }}", "No": "{{ item.id }}" } } },
            { "id": "back", "use": "respond", "input": { "json": {
                "text": "{{ steps.letter.text }}", "cities": "{{ steps.cities.groups }}", "different": "{{ steps.check.different[0].fields }}",
                "csv": "{{ steps.table.text }}" } } }
        ]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn data_steps_work_one_after_the_other_in_a_real_run() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let hook = owner.publish(&report()).await;
    let body = json!({
        "csv": "order;amount\n1;120.00\n2;18\n",
        "orders": [
            { "id": 1, "total": 120, "customer": "A", "city": "Oslo" }, { "id": 2, "total": 20, "customer": "A", "city": "Oslo" },
            { "id": 3, "total": 30.5, "customer": "A", "city": "Rome" }, { "id": 4, "total": 5, "customer": "B", "city": "Rome" },
            { "id": 5, "total": 99, "customer": "B", "city": "Oslo" }, { "id": 5, "total": 99, "customer": "B", "city": "Oslo" },
            { "id": 6, "total": 11, "customer": "X", "city": "Oslo" },
        ],
        "customers": [{ "no": "A", "name": "Ada" }, { "no": "B", "name": "Bob" }],
    });
    let answer = reqwest::Client::new().post(hook.hook()).json(&body).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.json::<Value>().await.expect("JSON"),
        json!({
            "text": "Bob owes 99, Ada owes 30.5, ? owes 11",
            "cities": [{ "key": "Oslo", "count": 2, "totals": { "open": 110 } }, { "key": "Rome", "count": 1, "totals": { "open": 30.5 } }],
            "different": [{ "name": "amount", "first": 20, "second": "18" }],
            "csv": "Customer,Total,No\nB,99,5\nA,30.5,3\nX,11,6\n",
        })
    );

    let mut quiet = report();
    quiet["trigger"]["input"]["respond"] = "at_once".into();
    quiet["steps"].as_array_mut().expect("steps").pop();
    let quiet = owner.publish(&quiet).await;
    let run = send(
        &quiet,
        &json!({ "csv": "order\n1\n", "orders": [{ "id": 7, "total": 9 }, { "id": 8, "total": "much" }], "customers": [] }),
    )
    .await;
    let failed = ended(&owner, &run).await;
    assert_eq!(failed["state"], "failed", "{failed}");
    assert!(failed.to_string().contains("Item 2: Text can't be read as a number. It saw"), "{failed}");
}
