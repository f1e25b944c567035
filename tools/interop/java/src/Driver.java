import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Official clients behind lines of JSON: one command a line on standard input, one answer a line on standard output. */
public final class Driver {
  private static final PrintStream out = System.out;

  public static void main(String[] args) throws Exception {
    System.setOut(System.err);
    System.setProperty("rocketmq.client.logLevel", "ERROR");
    Map<String, Command> commands = new HashMap<>();
    Producers.register(commands);
    Consumers.register(commands);
    Tools.register(commands);
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
      pool.execute(() -> run(commands, request));
    }
    System.exit(0);
  }

  private static void run(Map<String, Command> commands, Map<String, Object> request) {
    Map<String, Object> reply = new LinkedHashMap<>();
    reply.put("id", request.get("id"));
    try {
      Command command = commands.get(Json.text(request, "do", ""));
      if (command == null) throw new IllegalArgumentException("unknown command " + request.get("do"));
      reply.put("result", command.run(request));
    } catch (Throwable error) {
      reply.put("error", textOf(error));
      Integer code = Tools.codeOf(error);
      if (code != null) reply.put("code", code);
    }
    answer(reply);
  }

  /** With its causes: what a broker said stands below what the client made of it. */
  private static String textOf(Throwable error) {
    StringBuilder text = new StringBuilder();
    for (Throwable cause = error; cause != null; cause = cause.getCause())
      text.append(text.length() == 0 ? "" : "; ").append(cause.getClass().getSimpleName()).append(": ").append(cause.getMessage());
    return text.toString();
  }

  static void answer(Map<String, Object> reply) {
    String text = Json.print(reply);
    synchronized (out) {
      out.println(text);
      out.flush();
    }
  }

  interface Command {
    Object run(Map<String, Object> request) throws Exception;
  }
}
