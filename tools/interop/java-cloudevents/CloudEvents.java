import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.rocketmq.RocketMqMessageFactory;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import org.apache.rocketmq.client.apis.message.Message;

/**
 * The CloudEvents binding for RocketMQ behind lines of JSON. `write`: messages that it makes of some events, a line each. `read`: takes
 * messages, and tells the event in each.
 */
public final class CloudEvents {
  private static final ObjectMapper json = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    if (args[0].equals("write")) write();
    else read();
  }

  private static CloudEventBuilder event(String id) {
    return CloudEventBuilder.v1().withId(id).withSource(URI.create("/shop")).withType("order.paid");
  }

  private static void write() throws Exception {
    CloudEvent[] events = {
      event("minimal").build(),
      event("json").withData("application/json", "{\"id\":7,\"name\":\"Öl\"}".getBytes(StandardCharsets.UTF_8)).build(),
      event("text").withData("text/plain", "grüße".getBytes(StandardCharsets.UTF_8)).build(),
      event("bytes").withData("application/octet-stream", new byte[] {0, 1, -1}).build(),
      event("untyped").withData(new byte[] {5, 6}).build(),
      event("all")
          .withSubject("orders/7")
          .withTime(OffsetDateTime.parse("2030-01-02T03:04:05.678Z"))
          .withDataSchema(URI.create("https://schemas/order"))
          .withExtension("tenant", "north")
          .withExtension("attempt", 2)
          .withExtension("urgent", true)
          .withData("application/json; charset=utf-8", "[1,2]".getBytes(StandardCharsets.UTF_8))
          .build(),
      CloudEventBuilder.v03().withId("v03").withSource(URI.create("/shop")).withType("order.paid").build(),
    };
    for (CloudEvent event : events) {
      line(event, "binary", RocketMqMessageFactory.createWriter("T").writeBinary(event));
      line(event, "structured", RocketMqMessageFactory.createWriter("T").writeStructured(event, "application/cloudevents+json"));
    }
  }

  private static void line(CloudEvent event, String mode, Message message) throws Exception {
    ByteBuffer buffer = message.getBody();
    byte[] body = new byte[buffer.remaining()];
    buffer.get(body);
    ObjectNode line = json.createObjectNode();
    line.put("id", event.getId()).put("mode", mode);
    line.set("properties", json.valueToTree(message.getProperties()));
    line.put("body", Base64.getEncoder().encodeToString(body));
    System.out.println(json.writeValueAsString(line));
  }

  private static void read() throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String text; (text = in.readLine()) != null; ) {
      JsonNode given = json.readTree(text);
      Map<String, String> properties = new HashMap<>();
      given.get("properties").fields().forEachRemaining(each -> properties.put(each.getKey(), each.getValue().asText()));
      byte[] body = Base64.getDecoder().decode(given.get("body").asText());
      ObjectNode line = json.createObjectNode();
      try {
        CloudEvent event = RocketMqMessageFactory.createReader(properties.get("CE_contenttype"), properties, body).toEvent();
        ObjectNode attributes = line.putObject("attributes");
        for (String name : new TreeSet<>(event.getAttributeNames())) attributes.put(name, String.valueOf(event.getAttribute(name)));
        for (String name : new TreeSet<>(event.getExtensionNames())) attributes.put(name, String.valueOf(event.getExtension(name)));
        if (event.getData() != null) line.put("data", Base64.getEncoder().encodeToString(event.getData().toBytes()));
      } catch (RuntimeException error) {
        line.put("error", String.valueOf(error));
      }
      System.out.println(json.writeValueAsString(line));
    }
  }
}
