import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.rocketmq.client.apis.ClientConfiguration;
import org.apache.rocketmq.client.apis.ClientException;
import org.apache.rocketmq.client.apis.ClientServiceProvider;
import org.apache.rocketmq.client.apis.StaticSessionCredentialsProvider;
import org.apache.rocketmq.client.apis.consumer.ConsumeResult;
import org.apache.rocketmq.client.apis.consumer.FilterExpression;
import org.apache.rocketmq.client.apis.consumer.FilterExpressionType;
import org.apache.rocketmq.client.apis.consumer.PushConsumer;
import org.apache.rocketmq.client.apis.consumer.SimpleConsumer;
import org.apache.rocketmq.client.apis.message.Message;
import org.apache.rocketmq.client.apis.message.MessageBuilder;
import org.apache.rocketmq.client.apis.message.MessageView;
import org.apache.rocketmq.client.apis.producer.Producer;
import org.apache.rocketmq.client.apis.producer.ProducerBuilder;
import org.apache.rocketmq.client.apis.producer.SendReceipt;
import org.apache.rocketmq.client.apis.producer.Transaction;
import org.apache.rocketmq.client.apis.producer.TransactionResolution;

/** The official gRPC client behind lines of JSON: one command a line on standard input, one answer a line on standard output. */
public final class GrpcDriver {
  private static final PrintStream out = System.out;
  private static final ClientServiceProvider provider = ClientServiceProvider.loadService();
  private static final Map<String, Producer> producers = new ConcurrentHashMap<>();
  private static final Map<String, SimpleConsumer> simples = new ConcurrentHashMap<>();
  private static final Map<String, PushConsumer> pushes = new ConcurrentHashMap<>();
  private static final Map<String, List<Object>> got = new ConcurrentHashMap<>();
  private static final Map<String, MessageView> held = new ConcurrentHashMap<>();
  private static final List<Object> checked = Collections.synchronizedList(new ArrayList<>());

  public static void main(String[] args) throws Exception {
    System.setOut(System.err);
    ExecutorService pool = Executors.newCachedThreadPool(task -> {
      Thread thread = new Thread(task);
      thread.setDaemon(true);
      return thread;
    });
    answer(Json.of("ready", true));
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.trim().isEmpty()) continue;
      Map<String, Object> request = Json.parseObject(line);
      pool.execute(() -> run(request));
    }
    System.exit(0);
  }

  private static void run(Map<String, Object> request) {
    Map<String, Object> reply = new LinkedHashMap<>();
    reply.put("id", request.get("id"));
    try {
      reply.put("result", answerOf(request));
    } catch (Throwable error) {
      StringBuilder text = new StringBuilder();
      for (Throwable cause = error; cause != null; cause = cause.getCause())
        text.append(text.length() == 0 ? "" : "; ").append(cause.getClass().getSimpleName()).append(": ").append(cause.getMessage());
      reply.put("error", text.toString());
      for (Throwable cause = error; cause != null; cause = cause.getCause()) {
        java.util.regex.Matcher code = java.util.regex.Pattern.compile("response-code=(\\d+)").matcher(String.valueOf(cause.getMessage()));
        if (code.find()) reply.put("code", Integer.parseInt(code.group(1)));
      }
    }
    answer(reply);
  }

  private static Object answerOf(Map<String, Object> request) throws Exception {
    switch (Json.text(request, "do", "")) {
      case "send": return send(request);
      case "recall": return producerOf(request).recallMessage(Json.text(request, "topic", ""), Json.text(request, "handle", "")).getMessageId().toString();
      case "checked": return new ArrayList<>(checked);
      case "simple": return simple(request);
      case "receive": return receive(request);
      case "ack": simples.get(Json.text(request, "name", "")).ack(held.get(Json.text(request, "receipt", ""))); return true;
      case "hide": simples.get(Json.text(request, "name", "")).changeInvisibleDuration(held.get(Json.text(request, "receipt", "")), Duration.ofMillis(number(request, "ms", 10_000))); return true;
      case "push": return push(request);
      case "received": return received(request);
      case "close": return close(Json.text(request, "name", ""));
      default: throw new IllegalArgumentException("unknown command " + request.get("do"));
    }
  }

  private static ClientConfiguration configuration(Map<String, Object> request) {
    org.apache.rocketmq.client.apis.ClientConfigurationBuilder builder = ClientConfiguration.newBuilder()
      .setEndpoints(Json.text(request, "endpoints", ""))
      .enableSsl(!Boolean.FALSE.equals(request.get("tls")));
    String key = System.getenv("SKUA_ACCESS_KEY");
    if (key != null) builder.setCredentialProvider(new StaticSessionCredentialsProvider(key, System.getenv("SKUA_SECRET_KEY")));
    return builder.build();
  }

  private static Producer producerOf(Map<String, Object> request) throws Exception {
    String topic = Json.text(request, "topic", "");
    String check = Json.text(request, "check", "");
    String key = Json.text(request, "endpoints", "") + topic + check + request.get("tls");
    Producer known = producers.get(key);
    if (known != null) return known;
    ProducerBuilder builder = provider.newProducerBuilder().setClientConfiguration(configuration(request)).setTopics(topic);
    if (!check.isEmpty())
      builder.setTransactionChecker(view -> {
        checked.add(StandardCharsets.UTF_8.decode(view.getBody()).toString());
        return TransactionResolution.valueOf(check);
      });
    Producer producer = builder.build();
    producers.put(key, producer);
    return producer;
  }

  private static Object send(Map<String, Object> request) throws Exception {
    Producer producer = producerOf(request);
    String end = Json.text(request, "transaction", "");
    List<Object> results = new ArrayList<>();
    int count = (int) number(request, "count", 1);
    for (int i = 0; i < count; i++) {
      String body = Json.text(request, "body", "hello") + (count > 1 ? " " + i : "");
      MessageBuilder builder = provider.newMessageBuilder().setTopic(Json.text(request, "topic", "")).setBody(body.getBytes(StandardCharsets.UTF_8));
      if (request.get("tag") != null) builder.setTag(Json.text(request, "tag", ""));
      if (request.get("key") != null) builder.setKeys(Json.text(request, "key", ""));
      if (request.get("group") != null) builder.setMessageGroup(Json.text(request, "group", ""));
      if (request.get("delayMs") != null) builder.setDeliveryTimestamp(System.currentTimeMillis() + number(request, "delayMs", 0));
      if (request.get("property") != null) builder.addProperty("p", Json.text(request, "property", ""));
      Message message = builder.build();
      SendReceipt receipt;
      if (end.isEmpty()) receipt = producer.send(message);
      else {
        Transaction transaction = producer.beginTransaction();
        receipt = producer.send(message, transaction);
        if (end.equals("COMMIT")) transaction.commit();
        if (end.equals("ROLLBACK")) transaction.rollback();
      }
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("messageId", receipt.getMessageId().toString());
      try {
        result.put("recallHandle", receipt.getRecallHandle());
      } catch (NoSuchMethodError none) {
        result.put("recallHandle", null);
      }
      results.add(result);
    }
    return results;
  }

  private static FilterExpression filter(Map<String, Object> request) {
    String sql = Json.text(request, "sql", "");
    return sql.isEmpty() ? new FilterExpression(Json.text(request, "tags", "*")) : new FilterExpression(sql, FilterExpressionType.SQL92);
  }

  private static Object simple(Map<String, Object> request) throws Exception {
    SimpleConsumer consumer = provider.newSimpleConsumerBuilder()
      .setClientConfiguration(configuration(request))
      .setConsumerGroup(Json.text(request, "group", ""))
      .setAwaitDuration(Duration.ofMillis(number(request, "awaitMs", 5000)))
      .setSubscriptionExpressions(Collections.singletonMap(Json.text(request, "topic", ""), filter(request)))
      .build();
    simples.put(Json.text(request, "name", ""), consumer);
    return true;
  }

  private static Object receive(Map<String, Object> request) throws Exception {
    List<Object> found = new ArrayList<>();
    for (MessageView view : simples.get(Json.text(request, "name", "")).receive((int) number(request, "max", 16), Duration.ofMillis(number(request, "invisibleMs", 10_000)))) {
      String receipt = view.getMessageId() + "/" + view.getDeliveryAttempt();
      held.put(receipt, view);
      Map<String, Object> shown = shown(view);
      shown.put("receipt", receipt);
      found.add(shown);
    }
    return found;
  }

  private static Object push(Map<String, Object> request) throws Exception {
    String name = Json.text(request, "name", "");
    long failFirst = number(request, "failFirst", 0);
    long workMs = number(request, "workMs", 0);
    List<Object> list = Collections.synchronizedList(new ArrayList<>());
    got.put(name, list);
    PushConsumer consumer = provider.newPushConsumerBuilder()
      .setClientConfiguration(configuration(request))
      .setConsumerGroup(Json.text(request, "group", ""))
      .setSubscriptionExpressions(Collections.singletonMap(Json.text(request, "topic", ""), filter(request)))
      .setMessageListener(view -> {
        if (workMs > 0) {
          try {
            Thread.sleep(workMs);
          } catch (InterruptedException ended) {
            return ConsumeResult.FAILURE;
          }
        }
        list.add(shown(view));
        return view.getDeliveryAttempt() <= failFirst ? ConsumeResult.FAILURE : ConsumeResult.SUCCESS;
      })
      .build();
    pushes.put(name, consumer);
    return true;
  }

  private static Map<String, Object> shown(MessageView view) {
    Map<String, Object> shown = new LinkedHashMap<>();
    shown.put("messageId", view.getMessageId().toString());
    shown.put("topic", view.getTopic());
    shown.put("body", StandardCharsets.UTF_8.decode(view.getBody()).toString());
    shown.put("tag", view.getTag().orElse(null));
    shown.put("keys", new ArrayList<>(view.getKeys()));
    shown.put("group", view.getMessageGroup().orElse(null));
    shown.put("properties", new LinkedHashMap<>(view.getProperties()));
    shown.put("attempt", view.getDeliveryAttempt());
    shown.put("atMs", System.currentTimeMillis());
    return shown;
  }

  private static Object received(Map<String, Object> request) throws Exception {
    List<Object> list = got.get(Json.text(request, "name", ""));
    long until = System.currentTimeMillis() + number(request, "timeoutMs", 10_000);
    while (list.size() < number(request, "count", 1) && System.currentTimeMillis() < until) Thread.sleep(10);
    synchronized (list) {
      return new ArrayList<>(list);
    }
  }

  private static Object close(String name) throws Exception {
    PushConsumer push = pushes.remove(name);
    if (push != null) push.close();
    SimpleConsumer simple = simples.remove(name);
    if (simple != null) simple.close();
    return true;
  }

  private static long number(Map<String, Object> request, String name, long otherwise) {
    Object value = request.get(name);
    return value == null ? otherwise : ((Number) value).longValue();
  }

  private static void answer(Map<String, Object> reply) {
    String text = Json.print(reply);
    synchronized (out) {
      out.println(text);
      out.flush();
    }
  }
}
