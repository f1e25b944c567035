import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Commands that consume. A consumer lives under a name until it is stopped; what it received is asked for. */
final class Consumers {
  private static final Map<String, Running> running = new ConcurrentHashMap<>();
  private static final Map<String, DefaultMQPullConsumer> pullers = new ConcurrentHashMap<>();

  interface Running {
    List<Map<String, Object>> received();

    void stop();

    Object describe();
  }

  static void register(Map<String, Driver.Command> commands) {
    commands.put("push", Consumers::push);
    commands.put("litePull", Consumers::litePull);
    commands.put("received", Consumers::received);
    commands.put("queues", request -> running.get(Json.text(request, "name", "")).describe());
    commands.put("stopConsumer", Consumers::stop);
    commands.put("pull", Consumers::pull);
    commands.put("readAll", Consumers::readAll);
  }

  static Map<String, Object> describe(MessageExt message) {
    byte[] body = message.getBody() == null ? new byte[0] : message.getBody();
    return Json.of(
        "topic", message.getTopic(),
        "queueId", message.getQueueId(),
        "queueOffset", message.getQueueOffset(),
        "msgId", message.getMsgId(),
        "tags", message.getTags(),
        "keys", message.getKeys(),
        "body", new String(body, 0, Math.min(body.length, 200), StandardCharsets.UTF_8),
        "bodyBytes", body.length,
        "flag", message.getFlag(),
        "bornTimestamp", message.getBornTimestamp(),
        "storeTimestamp", message.getStoreTimestamp(),
        "receivedAt", System.currentTimeMillis(),
        "reconsumeTimes", message.getReconsumeTimes(),
        "properties", message.getProperties());
  }

  private static Object push(Map<String, Object> request) throws Exception {
    String name = Json.text(request, "name", "");
    DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(
        Json.text(request, "group", ""), Access.hook(), new AllocateMessageQueueAveragely(), Json.flag(request, "trace"), null);
    consumer.setNamesrvAddr(Json.text(request, "namesrv", ""));
    consumer.setInstanceName(Json.text(request, "instance", name + System.nanoTime()));
    if (request.containsKey("namespace")) consumer.setNamespace(Json.text(request, "namespace", ""));
    if (request.containsKey("pollMs")) consumer.setPollNameServerInterval(Json.integer(request, "pollMs", 30_000));
    if (Json.flag(request, "broadcasting")) broadcast(consumer);
    consumer.setConsumeFromWhere(ConsumeFromWhere.valueOf(Json.text(request, "from", "CONSUME_FROM_FIRST_OFFSET")));
    if (request.containsKey("maxReconsumeTimes")) consumer.setMaxReconsumeTimes(Json.integer(request, "maxReconsumeTimes", -1));
    if (Json.flag(request, "balancedByBroker")) balanceByBroker(consumer, request);
    if (request.containsKey("suspendMs")) consumer.setSuspendCurrentQueueTimeMillis(Json.integer(request, "suspendMs", 1000));
    if (request.containsKey("threads")) {
      consumer.setConsumeThreadMin(Json.integer(request, "threads", 1));
      consumer.setConsumeThreadMax(Json.integer(request, "threads", 1));
    }
    for (String topic : Json.text(request, "topic", "").split(",")) {
      if (request.containsKey("sql")) consumer.subscribe(topic, MessageSelector.bySql(Json.text(request, "sql", "")));
      else if (request.containsKey("filter"))
        consumer.subscribe(topic, Json.text(request, "filterName", "Filter"), Json.text(request, "filter", ""));
      else consumer.subscribe(topic, Json.text(request, "tags", "*"));
    }
    List<Map<String, Object>> got = Collections.synchronizedList(new ArrayList<>());
    int failFirst = Json.integer(request, "failFirst", 0);
    int delayLevel = Json.integer(request, "delayLevelWhenNextConsume", 0);
    int dawdleMs = Json.integer(request, "dawdleMs", 0);
    boolean replies = Json.flag(request, "replies");
    boolean reports = Json.flag(request, "report");
    DefaultMQProducer replier = replies ? Producers.producer(Json.of("namesrv", request.get("namesrv"), "group", "replier-" + name)) : null;
    if (Json.flag(request, "orderly")) {
      consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
        boolean fails = false;
        for (MessageExt message : messages) {
          got.add(describe(message));
          fails |= message.getReconsumeTimes() < failFirst;
        }
        return fails ? ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT : ConsumeOrderlyStatus.SUCCESS;
      });
    } else {
      consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
        context.setDelayLevelWhenNextConsume(delayLevel);
        boolean fails = false;
        for (MessageExt message : messages) {
          if (reports) Driver.answer(Json.of("took", new String(message.getBody(), StandardCharsets.UTF_8)));
          else got.add(describe(message));
          fails |= message.getReconsumeTimes() < failFirst;
          dawdle(message.getReconsumeTimes() == 0 ? dawdleMs : 0);
          if (replies) reply(replier, message);
        }
        return fails ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
      });
    }
    consumer.start();
    running.put(name, new Running() {
      public List<Map<String, Object>> received() {
        return got;
      }

      public void stop() {
        consumer.shutdown();
      }

      public Object describe() {
        List<Object> queues = new ArrayList<>();
        for (MessageQueue queue : consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet())
          queues.add(Json.of("topic", queue.getTopic(), "brokerName", queue.getBrokerName(), "queueId", queue.getQueueId()));
        return queues;
      }
    });
    return true;
  }

  /** Only 5.x asks the broker for its queues, and pops where it says so. */
  private static void balanceByBroker(DefaultMQPushConsumer consumer, Map<String, Object> request) throws Exception {
    DefaultMQPushConsumer.class.getMethod("setClientRebalance", boolean.class).invoke(consumer, false);
    if (request.containsKey("invisibleMs"))
      DefaultMQPushConsumer.class.getMethod("setPopInvisibleTime", long.class).invoke(consumer, Json.longValue(request, "invisibleMs", 60_000));
  }

  /** The enum moved to another package in 5.x. */
  @SuppressWarnings({"unchecked", "rawtypes"})
  private static void broadcast(DefaultMQPushConsumer consumer) throws Exception {
    for (java.lang.reflect.Method method : DefaultMQPushConsumer.class.getMethods()) {
      if (method.getName().equals("setMessageModel")) method.invoke(consumer, Enum.valueOf((Class<Enum>) method.getParameterTypes()[0], "BROADCASTING"));
    }
  }

  private static void dawdle(int ms) {
    try {
      Thread.sleep(ms);
    } catch (InterruptedException end) {
      Thread.currentThread().interrupt();
    }
  }

  private static void reply(DefaultMQProducer producer, MessageExt message) {
    try {
      Message reply = MessageUtil.createReplyMessage(message, ("re: " + new String(message.getBody(), StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8));
      producer.send(reply, 3000);
    } catch (Exception error) {
      System.err.println("reply failed: " + error);
    }
  }

  private static Object litePull(Map<String, Object> request) throws Exception {
    DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(Json.text(request, "group", ""), Access.hook());
    consumer.setNamesrvAddr(Json.text(request, "namesrv", ""));
    consumer.setInstanceName("l" + System.nanoTime());
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.setAutoCommit(true);
    consumer.setAutoCommitIntervalMillis(1000);
    String topic = Json.text(request, "topic", "");
    boolean assigns = Json.flag(request, "assign");
    if (!assigns) consumer.subscribe(topic, Json.text(request, "tags", "*"));
    consumer.start();
    if (assigns) {
      List<MessageQueue> queues = new ArrayList<>(consumer.fetchMessageQueues(topic));
      consumer.assign(queues);
      for (MessageQueue queue : queues) consumer.seekToBegin(queue);
    }
    List<Map<String, Object>> got = Collections.synchronizedList(new ArrayList<>());
    boolean[] stopped = {false};
    Thread poller = new Thread(() -> {
      while (!stopped[0]) for (MessageExt message : consumer.poll(200)) got.add(describe(message));
    });
    poller.setDaemon(true);
    poller.start();
    running.put(Json.text(request, "name", ""), new Running() {
      public List<Map<String, Object>> received() {
        return got;
      }

      public void stop() {
        stopped[0] = true;
        consumer.shutdown();
      }

      public Object describe() {
        return null;
      }
    });
    return true;
  }

  /** Waits until a consumer has `count` messages, or `timeoutMs` is over; answers what it has. */
  private static Object received(Map<String, Object> request) throws Exception {
    Running consumer = running.get(Json.text(request, "name", ""));
    long until = System.currentTimeMillis() + Json.longValue(request, "timeoutMs", 10_000);
    int count = Json.integer(request, "count", 1);
    while (consumer.received().size() < count && System.currentTimeMillis() < until) Thread.sleep(10);
    synchronized (consumer.received()) {
      return new ArrayList<>(consumer.received());
    }
  }

  private static Object stop(Map<String, Object> request) {
    Running consumer = running.get(Json.text(request, "name", "")); // what it received stays to be asked for
    if (consumer == null) return false;
    consumer.stop();
    return true;
  }

  static synchronized DefaultMQPullConsumer puller(Map<String, Object> request) throws Exception {
    String key = Json.text(request, "namesrv", "") + "|" + Json.text(request, "namespace", "") + "|" + Json.text(request, "group", "interop-pull");
    DefaultMQPullConsumer known = pullers.get(key);
    if (known != null) return known;
    DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(Json.text(request, "group", "interop-pull"), Access.hook());
    consumer.setNamesrvAddr(Json.text(request, "namesrv", ""));
    consumer.setInstanceName("q" + System.nanoTime());
    if (request.containsKey("namespace")) consumer.setNamespace(Json.text(request, "namespace", ""));
    if (request.containsKey("suspendMs")) {
      consumer.setBrokerSuspendMaxTimeMillis(Json.longValue(request, "suspendMs", 1000));
      consumer.setConsumerTimeoutMillisWhenSuspend(Json.longValue(request, "suspendMs", 1000) + 10_000);
    }
    consumer.start();
    pullers.put(key, consumer);
    return consumer;
  }

  /** A client pulls with SQL92 only when it knows its broker's version: by a heartbeat, whose timer is 30 s away. */
  private static void meetBroker(DefaultMQPullConsumer consumer, String topic) {
    var factory = consumer.getDefaultMQPullConsumerImpl().getRebalanceImpl().getmQClientFactory();
    factory.updateTopicRouteInfoFromNameServer(topic);
    factory.sendHeartbeatToAllBrokerWithLock();
  }

  private static Object pull(Map<String, Object> request) throws Exception {
    DefaultMQPullConsumer consumer = puller(request);
    String topic = Json.text(request, "topic", "");
    try {
      consumer.fetchSubscribeMessageQueues(topic);
    } catch (MQClientException noQueue) {
      // The broker is asked all the same.
    }
    MessageQueue queue = new MessageQueue(topic, Json.text(request, "brokerName", ""), Json.integer(request, "queueId", 0));
    long offset = Json.longValue(request, "offset", 0);
    if (request.containsKey("sql")) meetBroker(consumer, topic);
    PullResult result =
        request.containsKey("sql")
            ? consumer.pull(queue, MessageSelector.bySql(Json.text(request, "sql", "")), offset, Json.integer(request, "max", 32))
            : Json.flag(request, "block")
                ? consumer.pullBlockIfNotFound(queue, Json.text(request, "tags", "*"), offset, Json.integer(request, "max", 32))
                : consumer.pull(queue, Json.text(request, "tags", "*"), offset, Json.integer(request, "max", 32));
    List<Object> messages = new ArrayList<>();
    if (result.getMsgFoundList() != null) for (MessageExt message : result.getMsgFoundList()) messages.add(describe(message));
    return Json.of(
        "status", result.getPullStatus().name(),
        "next", result.getNextBeginOffset(),
        "min", result.getMinOffset(),
        "max", result.getMaxOffset(),
        "messages", messages);
  }

  /** Every message of a topic by a pull consumer, queue by queue, in queue order. */
  private static Object readAll(Map<String, Object> request) throws Exception {
    DefaultMQPullConsumer consumer = puller(request);
    List<Object> messages = Collections.synchronizedList(new ArrayList<>());
    AtomicInteger count = new AtomicInteger();
    for (MessageQueue queue : consumer.fetchSubscribeMessageQueues(Json.text(request, "topic", ""))) {
      long offset = consumer.minOffset(queue);
      while (offset < consumer.maxOffset(queue)) {
        PullResult result = consumer.pull(queue, "*", offset, 32);
        offset = result.getNextBeginOffset();
        if (result.getMsgFoundList() == null) continue;
        for (MessageExt message : result.getMsgFoundList()) {
          count.incrementAndGet();
          messages.add(Json.flag(request, "idsOnly") ? Json.of("msgId", message.getMsgId(), "queueId", message.getQueueId(), "queueOffset", message.getQueueOffset()) : describe(message));
        }
      }
    }
    return messages;
  }
}
