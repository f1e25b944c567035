import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Commands that send. Producers are kept by name, so that one connection serves many commands. */
final class Producers {
  private static final Map<String, DefaultMQProducer> producers = new ConcurrentHashMap<>();

  static void register(Map<String, Driver.Command> commands) {
    commands.put("send", Producers::send);
    commands.put("sendBatch", Producers::sendBatch);
    commands.put("request", Producers::request);
    commands.put("transaction", Producers::transaction);
    commands.put("recall", Producers::recall);
    commands.put("stopProducer", request -> {
      DefaultMQProducer producer = producers.remove(key(request));
      if (producer != null) producer.shutdown();
      return producer != null;
    });
  }

  private static String key(Map<String, Object> request) {
    return Json.text(request, "namesrv", "") + "|" + Json.text(request, "namespace", "") + "|" + Json.text(request, "group", "interop-producer");
  }

  static synchronized DefaultMQProducer producer(Map<String, Object> request) throws Exception {
    DefaultMQProducer known = producers.get(key(request));
    if (known != null) return known;
    DefaultMQProducer producer = new DefaultMQProducer(Json.text(request, "group", "interop-producer"), Access.hook(), Json.flag(request, "trace"), null);
    start(producer, request);
    return producer;
  }

  private static void start(DefaultMQProducer producer, Map<String, Object> request) throws Exception {
    producer.setNamesrvAddr(Json.text(request, "namesrv", ""));
    producer.setInstanceName("p" + System.nanoTime());
    producer.setSendMsgTimeout(Json.integer(request, "timeoutMs", 5000));
    if (request.containsKey("pollMs")) producer.setPollNameServerInterval(Json.integer(request, "pollMs", 30_000));
    if (request.containsKey("maxMessageSize")) {
      producer.setMaxMessageSize(Json.integer(request, "maxMessageSize", 0));
      producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
    }
    if (request.containsKey("namespace")) producer.setNamespace(Json.text(request, "namespace", ""));
    producer.start();
    producers.put(key(request), producer);
  }

  @SuppressWarnings("unchecked")
  static Message message(Map<String, Object> request, int index) {
    String body = Json.text(request, "body", "hello");
    if (Json.integer(request, "count", 1) > 1) body = body + " " + index;
    int size = Json.integer(request, "bodyBytes", 0);
    if (size > 0) body = String.join("", Collections.nCopies(size, "x"));
    Message message = new Message(Json.text(request, "topic", ""), body.getBytes(StandardCharsets.UTF_8));
    if (request.containsKey("tag")) message.setTags(Json.text(request, "tag", ""));
    if (request.containsKey("tags")) {
      List<Object> tags = (List<Object>) request.get("tags");
      message.setTags(String.valueOf(tags.get(index % tags.size())));
    }
    if (request.containsKey("key")) message.setKeys(Json.text(request, "key", "") + (Json.integer(request, "count", 1) > 1 ? "-" + index : ""));
    if (request.containsKey("delayLevel")) message.setDelayTimeLevel(Json.integer(request, "delayLevel", 0));
    // Only clients of 5.x have these methods.
    if (request.containsKey("delayMs")) setTime(message, "setDelayTimeMs", Json.integer(request, "delayMs", 0));
    if (request.containsKey("deliverInMs"))
      setTime(message, "setDeliverTimeMs", System.currentTimeMillis() + Json.integer(request, "deliverInMs", 0));
    if (request.containsKey("waitStore")) message.setWaitStoreMsgOK(Json.flag(request, "waitStore"));
    if (request.containsKey("flag")) message.setFlag(Json.integer(request, "flag", 0));
    Map<String, Object> properties = (Map<String, Object>) request.get("properties");
    if (properties != null) properties.forEach((name, value) -> message.putUserProperty(name, String.valueOf(value).replace("$i", String.valueOf(index))));
    return message;
  }

  private static void setTime(Message message, String method, long value) {
    try {
      Message.class.getMethod(method, long.class).invoke(message, value);
    } catch (ReflectiveOperationException error) {
      throw new IllegalStateException(error);
    }
  }

  /** Null for clients that do not know of it. */
  private static Object recallHandle(SendResult sent) {
    try {
      return SendResult.class.getMethod("getRecallHandle").invoke(sent);
    } catch (ReflectiveOperationException error) {
      return null;
    }
  }

  /** Takes a message back whose time has not come. */
  static Object recall(Map<String, Object> request) throws Exception {
    DefaultMQProducer producer = producer(request);
    return DefaultMQProducer.class
        .getMethod("recallMessage", String.class, String.class)
        .invoke(producer, Json.text(request, "topic", ""), Json.text(request, "handle", ""));
  }

  static Map<String, Object> result(SendResult sent) {
    return Json.of(
        "recallHandle", recallHandle(sent),
        "status", sent.getSendStatus().name(),
        "msgId", sent.getMsgId(),
        "offsetMsgId", sent.getOffsetMsgId(),
        "queueId", sent.getMessageQueue().getQueueId(),
        "brokerName", sent.getMessageQueue().getBrokerName(),
        "queueOffset", sent.getQueueOffset(),
        "transactionId", sent.getTransactionId(),
        "regionId", sent.getRegionId());
  }

  private static Object send(Map<String, Object> request) throws Exception {
    DefaultMQProducer producer = producer(request);
    int count = Json.integer(request, "count", 1);
    String mode = Json.text(request, "mode", "sync");
    List<Object> results = Collections.synchronizedList(new ArrayList<>());
    List<Throwable> errors = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch left = new CountDownLatch(mode.equals("async") ? count : 0);
    for (int i = 0; i < count; i++) {
      Message message = message(request, i);
      int shard = request.containsKey("shards") ? i % Json.integer(request, "shards", 1) : -1;
      if (request.containsKey("brokerName"))
        results.add(result(producer.send(message, new MessageQueue(message.getTopic(), Json.text(request, "brokerName", ""), Json.integer(request, "queueId", 0)))));
      else if (mode.equals("oneway")) producer.sendOneway(message);
      else if (mode.equals("async")) {
        producer.send(message, new SendCallback() {
          public void onSuccess(SendResult sent) {
            results.add(result(sent));
            left.countDown();
          }

          public void onException(Throwable error) {
            errors.add(error);
            left.countDown();
          }
        });
      } else if (shard >= 0 || request.containsKey("queueId")) {
        int wanted = shard >= 0 ? shard : Json.integer(request, "queueId", 0);
        results.add(result(producer.send(message, (queues, msg, arg) -> queues.get((Integer) arg % queues.size()), wanted)));
      } else results.add(result(producer.send(message)));
    }
    if (!left.await(30, TimeUnit.SECONDS)) throw new IllegalStateException("async sends did not end");
    if (!errors.isEmpty()) throw new RuntimeException(errors.get(0));
    return results;
  }

  private static Object sendBatch(Map<String, Object> request) throws Exception {
    List<Message> batch = new ArrayList<>();
    for (int i = 0; i < Json.integer(request, "count", 1); i++) batch.add(message(request, i));
    return result(producer(request).send(batch));
  }

  /**
   * By callback: the waiting form of 5.3.3 gives up as soon as the request itself is acknowledged. The callback is told
   * of that too, with no message.
   */
  private static Object request(Map<String, Object> request) throws Exception {
    CompletableFuture<Message> replied = new CompletableFuture<>();
    producer(request).request(message(request, 0), new RequestCallback() {
      public void onSuccess(Message reply) {
        if (reply != null) replied.complete(reply);
      }

      public void onException(Throwable error) {
        replied.completeExceptionally(error);
      }
    }, Json.longValue(request, "requestTimeoutMs", 5000));
    Message reply = replied.get(30, TimeUnit.SECONDS);
    return Json.of("body", new String(reply.getBody(), StandardCharsets.UTF_8), "properties", reply.getProperties());
  }

  /** `outcome`: what the local transaction says; `check`: what the check-back says after that. */
  private static Object transaction(Map<String, Object> request) throws Exception {
    TransactionMQProducer producer;
    synchronized (Producers.class) {
      producer = (TransactionMQProducer) producers.get(key(request));
      if (producer == null) {
        producer = new TransactionMQProducer(Json.text(request, "group", "interop-tx"), Access.hook());
        producer.setTransactionListener(new Outcomes());
        start(producer, request);
      }
    }
    List<Object> results = new ArrayList<>();
    for (int i = 0; i < Json.integer(request, "count", 1); i++) {
      Message message = message(request, i);
      message.putUserProperty("outcome", Json.text(request, "outcome", "COMMIT_MESSAGE"));
      message.putUserProperty("check", Json.text(request, "check", "UNKNOW"));
      results.add(result(producer.sendMessageInTransaction(message, null)));
    }
    return Json.of("sent", results, "checks", Outcomes.checks);
  }

  private static final class Outcomes implements TransactionListener {
    static final Map<String, Object> checks = new ConcurrentHashMap<>();

    public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
      return LocalTransactionState.valueOf(message.getUserProperty("outcome"));
    }

    public LocalTransactionState checkLocalTransaction(MessageExt message) {
      checks.merge(message.getTransactionId(), 1, (a, b) -> (Integer) a + (Integer) b);
      return LocalTransactionState.valueOf(message.getUserProperty("check"));
    }
  }
}
