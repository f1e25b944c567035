import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The official Java client before a broker whose time moves when the test says so. */
class OrdersTest {
    private final List<String> bills = new CopyOnWriteArrayList<>();
    private SkuaTestBroker broker;
    private DefaultMQProducer producer;
    private DefaultMQPushConsumer consumer;

    @BeforeEach
    void start() throws Exception {
        broker = new SkuaTestBroker();
        broker.ask("POST", "/topics", "[\"Orders\"]");
        producer = new DefaultMQProducer("orders");
        producer.setNamesrvAddr(broker.namesrvAddr);
        producer.setRetryTimesWhenSendFailed(0);
        // Every test has a client of its own: those of one process share one by default, and so its name server.
        producer.setInstanceName("producer" + System.nanoTime());
        producer.start();
        consumer = new DefaultMQPushConsumer("billing");
        consumer.setNamesrvAddr(broker.namesrvAddr);
        consumer.setInstanceName("consumer" + System.nanoTime());
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setMaxReconsumeTimes(2);
        consumer.subscribe("Orders", "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            String body = new String(messages.get(0).getBody(), StandardCharsets.UTF_8);
            if (body.contains("nobody pays")) return ConsumeConcurrentlyStatus.RECONSUME_LATER;
            bills.add(body);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
    }

    @AfterEach
    void stop() throws Exception {
        consumer.shutdown();
        producer.shutdown();
        broker.close();
    }

    private static Message order(String body) {
        return new Message("Orders", body.getBytes(StandardCharsets.UTF_8));
    }

    /** What is due has left the broker; the client may need a moment of its own to have handled it. */
    private void billed(String... wanted) throws InterruptedException {
        for (int tries = 0; tries < 500 && bills.size() < wanted.length; tries++) Thread.sleep(20);
        assertEquals(List.of(wanted), bills);
    }

    @Test
    void aDelayedOrderIsBilledWhenItIsDue() throws Exception {
        producer.send(order("now"));
        billed("now");
        Message later = order("in two hours");
        later.setDelayTimeLevel(18);
        producer.send(later);
        broker.advance("119m");
        billed("now");
        broker.advance("1m");
        billed("now", "in two hours");
    }

    @Test
    void anOrderThatNobodyPaysIsTriedThriceAndGivenUp() throws Exception {
        producer.send(order("nobody pays"));
        String expectation = "{\"group\":\"billing\",\"text\":\"nobody pays\",\"waitMs\":200}";
        // Its consumer takes its time, which is the machine's: time is let pass until it has given up.
        for (int tries = 0; ; tries++) {
            broker.advance("1h");
            try {
                broker.ask("POST", "/expect/dead-letter", expectation);
                break;
            } catch (AssertionError notYet) {
                if (tries == 60) throw notYet;
            }
        }
        assertTrue(bills.isEmpty());
    }

    @Test
    void aBusyBrokerIsTold() throws Exception {
        producer.send(order("first"));
        broker.ask("POST", "/faults", "{\"kind\":\"refuse\",\"request\":\"send\",\"code\":\"TOPIC_NOT_EXIST\",\"times\":1}");
        MQClientException refused = assertThrows(MQClientException.class, () -> producer.send(order("second")));
        assertEquals(17, refused.getResponseCode());
        producer.send(order("third"));
        billed("first", "third");
    }
}
