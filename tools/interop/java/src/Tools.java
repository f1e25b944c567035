import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Queries, offsets, and the load that is read back. */
final class Tools {
  static void register(Map<String, Driver.Command> commands) {
    commands.put("viewMessage", request -> Consumers.describe(Producers.producer(request).viewMessage(Json.text(request, "topic", ""), Json.text(request, "msgId", ""))));
    commands.put("queryKey", Tools::queryKey);
    commands.put("offsets", Tools::offsets);
    commands.put("createTopic", Tools::createTopic);
    commands.put("remoting", Tools::remoting);
    commands.put("load", Tools::load);
  }

  static Integer codeOf(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof MQBrokerException) return ((MQBrokerException) cause).getResponseCode();
      if (cause instanceof MQClientException && ((MQClientException) cause).getResponseCode() > 0) return ((MQClientException) cause).getResponseCode();
    }
    return null;
  }

  private static Object queryKey(Map<String, Object> request) throws Exception {
    long now = System.currentTimeMillis();
    QueryResult found =
        Producers.producer(request)
            .queryMessage(Json.text(request, "topic", ""), Json.text(request, "key", ""), Json.integer(request, "max", 32), Json.longValue(request, "begin", 0), Json.longValue(request, "end", now + 60_000));
    List<Object> messages = new ArrayList<>();
    for (MessageExt message : found.getMessageList()) messages.add(Consumers.describe(message));
    return messages;
  }

  private static Object offsets(Map<String, Object> request) throws Exception {
    DefaultMQProducer producer = Producers.producer(request);
    List<Object> rows = new ArrayList<>();
    for (MessageQueue queue : producer.fetchPublishMessageQueues(Json.text(request, "topic", ""))) {
      rows.add(
          Json.of(
              "queueId", queue.getQueueId(),
              "brokerName", queue.getBrokerName(),
              "min", producer.minOffset(queue),
              "max", producer.maxOffset(queue),
              "earliest", producer.earliestMsgStoreTime(queue),
              "atTime", producer.searchOffset(queue, Json.longValue(request, "timestamp", 0))));
    }
    return rows;
  }

  /** A request that the client's own checks would keep back, by its remoting layer. */
  private static Object remoting(Map<String, Object> request) throws Exception {
    RemotingCommand command = RemotingCommand.createRequestCommand(Json.integer(request, "code", 0), null);
    HashMap<String, String> fields = new HashMap<>();
    ((Map<?, ?>) request.get("fields")).forEach((name, value) -> fields.put(String.valueOf(name), String.valueOf(value)));
    command.setExtFields(fields);
    if (request.containsKey("body")) command.setBody(Json.text(request, "body", "").getBytes(StandardCharsets.UTF_8));
    RemotingCommand reply =
        Consumers.puller(request).getDefaultMQPullConsumerImpl().getRebalanceImpl().getmQClientFactory().getMQClientAPIImpl().getRemotingClient()
            .invokeSync(Json.text(request, "address", ""), command, 5000);
    return Json.of("code", reply.getCode(), "remark", reply.getRemark(), "fields", reply.getExtFields());
  }

  private static Object createTopic(Map<String, Object> request) throws Exception {
    DefaultMQProducer producer = Producers.producer(request);
    String key = Json.text(request, "key", "TBW102");
    // 5.x wants a map of attributes as well.
    for (java.lang.reflect.Method method : DefaultMQProducer.class.getMethods()) {
      if (!method.getName().equals("createTopic") || method.getParameterCount() > 4 || method.getParameterTypes()[2] != int.class) continue;
      Object topic = Json.text(request, "topic", "");
      Object queues = Json.integer(request, "queues", 4);
      if (method.getParameterCount() == 3) method.invoke(producer, key, topic, queues);
      else if (method.getParameterTypes()[3] == Map.class) method.invoke(producer, key, topic, queues, new HashMap<String, String>());
      else continue;
      break;
    }
    return true;
  }

  /** Threads that send for some seconds; every acknowledged id must be read back once, in queue order. */
  private static Object load(Map<String, Object> request) throws Exception {
    DefaultMQProducer producer = Producers.producer(request);
    int threads = Json.integer(request, "threads", 16);
    long until = System.currentTimeMillis() + Json.longValue(request, "ms", 3000);
    byte[] body = new byte[Json.integer(request, "bodyBytes", 128)];
    String topic = Json.text(request, "topic", "");
    Map<String, String> acknowledged = new ConcurrentHashMap<>();
    AtomicInteger errors = new AtomicInteger();
    List<String> firstErrors = Collections.synchronizedList(new ArrayList<>());
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    for (int i = 0; i < threads; i++) {
      pool.execute(() -> {
        while (System.currentTimeMillis() < until) {
          try {
            SendResult sent = producer.send(new Message(topic, "Load", body));
            if (sent.getSendStatus() == SendStatus.SEND_OK) acknowledged.put(sent.getMsgId(), sent.getMessageQueue().getQueueId() + ":" + sent.getQueueOffset());
          } catch (Exception error) {
            errors.incrementAndGet();
            if (firstErrors.size() < 5) firstErrors.add(String.valueOf(error.getMessage()));
          }
        }
      });
    }
    pool.shutdown();
    pool.awaitTermination(5, TimeUnit.MINUTES);
    Map<String, Object> result = Json.of("acknowledged", acknowledged.size(), "errors", errors.get(), "firstErrors", firstErrors);
    if (Json.flag(request, "readBack")) {
      int twice = 0;
      int misplaced = 0;
      Map<String, String> left = new HashMap<>(acknowledged);
      Set<String> seen = new java.util.HashSet<>();
      for (Object row : (List<?>) readBack(request)) {
        Map<?, ?> message = (Map<?, ?>) row;
        String place = message.get("queueId") + ":" + message.get("queueOffset");
        if (!seen.add((String) message.get("msgId"))) twice++;
        String expected = left.remove(message.get("msgId"));
        if (expected != null && !expected.equals(place)) misplaced++;
      }
      result.put("missing", left.size());
      result.put("twice", twice);
      result.put("misplaced", misplaced);
      result.put("read", seen.size());
    }
    return result;
  }

  private static Object readBack(Map<String, Object> request) throws Exception {
    Map<String, Object> wish = new HashMap<>(request);
    wish.put("idsOnly", true);
    wish.put("group", "interop-pull");
    Map<String, Driver.Command> commands = new HashMap<>();
    Consumers.register(commands);
    return commands.get("readAll").run(wish);
  }
}
