import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;

/** The official Java client under the loads of the client benchmark; see report.ts for what each figure is. */
public final class JavaLoad {
  private static String namesrv;
  private static String topic;
  private static byte[] body;
  private static int window;

  /** Threads of the client would keep the process after a failure. */
  public static void main(String[] args) {
    try {
      measure(args);
      System.out.flush();
      Runtime.getRuntime().halt(0);
    } catch (Throwable error) {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }

  private static void measure(String[] args) throws Exception {
    namesrv = args[0];
    topic = args[1];
    double seconds = Double.parseDouble(args[3]);
    window = Integer.parseInt(args[4]);
    body = String.join("", Collections.nCopies(Integer.parseInt(args[5]), "x")).getBytes(StandardCharsets.UTF_8);
    DefaultMQProducer producer = new DefaultMQProducer(group("producer"));
    producer.setNamesrvAddr(namesrv);
    producer.start();
    // The compiler of the JVM wants more than a moment.
    long sent = sendOneByOne(producer, 2).size();
    sent += sendMany(producer, 2);
    List<Double> latency = sendOneByOne(producer, seconds);
    Collections.sort(latency);
    long begun = System.nanoTime();
    long cpu = cpuNanos();
    long many = sendMany(producer, seconds);
    double sendCpuUs = (cpuNanos() - cpu) / 1e3 / many;
    double sendPerSecond = many / ((System.nanoTime() - begun) / 1e9);
    producer.shutdown();
    begun = System.nanoTime();
    consume("first", args[2], 1, seconds);
    double firstMs = (System.nanoTime() - begun) / 1e6;
    begun = System.nanoTime();
    cpu = cpuNanos();
    long consumed = consume("all", topic, sent + latency.size() + many, seconds);
    double consumeCpuUs = (cpuNanos() - cpu) / 1e3 / consumed;
    double consumePerSecond = consumed / ((System.nanoTime() - begun) / 1e9);
    System.out.println(String.format(java.util.Locale.ROOT,
        "{\"sendP50Us\":%f,\"sendP99Us\":%f,\"sendPerSecond\":%f,\"sendCpuUs\":%f,\"firstMs\":%f,\"consumePerSecond\":%f,\"consumeCpuUs\":%f}",
        latency.get(latency.size() / 2), latency.get((int) (latency.size() * 0.99)), sendPerSecond, sendCpuUs, firstMs, consumePerSecond, consumeCpuUs));
  }

  private static String group(String what) {
    return "java-" + what + "-" + System.nanoTime();
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  private static List<Double> sendOneByOne(DefaultMQProducer producer, double seconds) throws Exception {
    List<Double> took = new ArrayList<>();
    long end = System.nanoTime() + (long) (seconds * 1e9);
    while (System.nanoTime() < end) {
      long begun = System.nanoTime();
      producer.send(new Message(topic, body));
      took.add((System.nanoTime() - begun) / 1e3);
    }
    return took;
  }

  private static long sendMany(DefaultMQProducer producer, double seconds) throws Exception {
    Semaphore free = new Semaphore(window);
    AtomicLong sent = new AtomicLong();
    long end = System.nanoTime() + (long) (seconds * 1e9);
    while (System.nanoTime() < end) {
      free.acquire();
      producer.send(new Message(topic, body), new SendCallback() {
        public void onSuccess(SendResult result) {
          sent.incrementAndGet();
          free.release();
        }

        public void onException(Throwable error) {
          free.release();
        }
      });
    }
    free.acquire(window);
    return sent.get();
  }

  /** Until `count` messages came or the time is over. */
  private static long consume(String what, String from, long count, double seconds) throws Exception {
    DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group(what));
    consumer.setNamesrvAddr(namesrv);
    consumer.setInstanceName(what + System.nanoTime());
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.subscribe(from, "*");
    AtomicLong got = new AtomicLong();
    CountDownLatch done = new CountDownLatch(1);
    long end = System.nanoTime() + (long) (seconds * 1e9);
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      if (got.addAndGet(messages.size()) >= count || System.nanoTime() > end) done.countDown();
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    done.await((long) (seconds * 1e9) + 6_000_000_000L, java.util.concurrent.TimeUnit.NANOSECONDS);
    if (got.get() < count && System.nanoTime() > end + 5_000_000_000L)
      throw new IllegalStateException(got.get() + " of " + count + " messages came");
    consumer.shutdown();
    return got.get();
  }
}
