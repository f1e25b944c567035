//! The official gRPC client for Rust: sends, receives, acknowledges, and commits a transaction. What it did is printed, a line each.
use rocketmq::conf::{ClientOption, ProducerOption, SimpleConsumerOption};
use rocketmq::model::common::{FilterExpression, FilterType};
use rocketmq::model::message::MessageBuilder;
use rocketmq::model::transaction::{Transaction, TransactionResolution};
use rocketmq::{Producer, SimpleConsumer};

fn options(endpoints: &str) -> ClientOption {
    let mut option = ClientOption::default();
    option.set_access_url(endpoints);
    option.set_enable_tls(false);
    option
}

fn topics(topic: &str) -> ProducerOption {
    let mut option = ProducerOption::default();
    option.set_topics(vec![topic]);
    option
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (endpoints, plain, transactional) = (&arguments[1], &arguments[2], &arguments[3]);

    let mut producer = Producer::new(topics(plain), options(endpoints)).unwrap();
    producer.start().await.unwrap();
    for i in 0..3 {
        let message = MessageBuilder::builder()
            .set_topic(plain)
            .set_tag("A")
            .set_keys(vec!["k"])
            .set_body(format!("hello {i}").into_bytes())
            .build()
            .unwrap();
        println!("sent {}", producer.send(message).await.unwrap().message_id());
    }
    producer.shutdown().await.unwrap();
    consume(endpoints, plain, 3).await;

    let checker = Box::new(|_: String, _: rocketmq::model::message::MessageView| TransactionResolution::COMMIT);
    let mut producer =
        Producer::new_transaction_producer(topics(transactional), options(endpoints), checker).unwrap();
    producer.start().await.unwrap();
    let message = MessageBuilder::transaction_message_builder(transactional, b"committed".to_vec())
        .build()
        .unwrap();
    let transaction = producer.send_transaction_message(message).await.unwrap();
    println!("sent {}", transaction.message_id());
    transaction.commit().await.unwrap();
    consume(endpoints, transactional, 1).await;
    producer.shutdown().await.unwrap();
}

async fn consume(endpoints: &str, topic: &str, count: usize) {
    let mut option = SimpleConsumerOption::default();
    option.set_topics(vec![topic]);
    option.set_consumer_group(format!("G_{topic}"));
    let mut consumer = SimpleConsumer::new(option, options(endpoints)).unwrap();
    consumer.start().await.unwrap();
    let mut seen = 0;
    while seen < count {
        let filter = FilterExpression::new(FilterType::Tag, "*");
        for message in consumer.receive(topic.to_string(), &filter).await.unwrap() {
            let body = String::from_utf8_lossy(message.body()).into_owned();
            println!("got {} {} {}", message.message_id(), message.delivery_attempt(), body);
            consumer.ack(&message).await.unwrap();
            seen += 1;
        }
    }
    consumer.shutdown().await.unwrap();
}
