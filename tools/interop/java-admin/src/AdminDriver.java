import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.rocketmq.tools.command.MQAdminStartup;
import org.apache.rocketmq.tools.command.SubCommand;

/** Apache's mqadmin behind lines of JSON: a JVM for each command line would take a second and more. */
public final class AdminDriver {
  private static final PrintStream out = System.out;

  @SuppressWarnings("removal")
  public static void main(String[] args) throws Exception {
    PrintStream err = System.err;
    System.setSecurityManager(new NoExit());
    answer(Json.of("ready", true));
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.trim().isEmpty()) continue;
      Map<String, Object> request = Json.parseObject(line);
      Map<String, Object> reply = new LinkedHashMap<>();
      reply.put("id", request.get("id"));
      try {
        reply.put("result", request.get("do").equals("list") ? list() : run(request));
      } catch (Throwable error) {
        reply.put("error", String.valueOf(error));
      }
      System.setErr(err);
      answer(reply);
    }
    Runtime.getRuntime().halt(0);
  }

  /** 5.x ends the JVM where it does not like a flag. */
  @SuppressWarnings("removal")
  private static final class NoExit extends SecurityManager {
    @Override
    public void checkExit(int status) {
      throw new SecurityException("the tool ended with " + status);
    }

    @Override
    public void checkPermission(java.security.Permission permission) {}
  }

  /** One command line. What loops without end is interrupted after `limitMs`. */
  private static Map<String, Object> run(Map<String, Object> request) throws Exception {
    List<?> words = (List<?>) request.get("args");
    String[] args = words.stream().map(String::valueOf).toArray(String[]::new);
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ByteArrayOutputStream complained = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, "UTF-8"));
    System.setErr(new PrintStream(complained, true, "UTF-8"));
    subcommands().clear();
    long begun = System.nanoTime();
    Thread thread = new Thread(() -> MQAdminStartup.main0(args, null), "mqadmin");
    thread.setDaemon(true);
    thread.start();
    thread.join(Json.longValue(request, "limitMs", 30_000));
    boolean endless = thread.isAlive();
    if (endless) {
      thread.interrupt();
      thread.join(5000);
    }
    return Json.of(
        "output", printed.toString("UTF-8"),
        "errors", complained.toString("UTF-8"),
        "endless", endless,
        "ms", (System.nanoTime() - begun) / 1_000_000);
  }

  private static List<Object> list() throws Exception {
    subcommands().clear();
    MQAdminStartup.initCommand();
    List<Object> names = new ArrayList<>();
    for (Object each : subcommands()) {
      SubCommand command = (SubCommand) each;
      List<Object> flags = new ArrayList<>();
      for (Object option : command.buildCommandlineOptions(new Options()).getOptions()) {
        Option flag = (Option) option;
        flags.add(Json.of("short", flag.getOpt(), "long", flag.getLongOpt(), "takes", flag.hasArg(), "needed", flag.isRequired()));
      }
      names.add(Json.of("name", command.commandName(), "flags", flags));
    }
    return names;
  }

  /** 4.9 and 5.x name the list differently; each start of the tool adds to it. */
  private static List<?> subcommands() throws Exception {
    for (Field field : MQAdminStartup.class.getDeclaredFields()) {
      if (field.getType() != List.class) continue;
      field.setAccessible(true);
      return (List<?>) field.get(null);
    }
    throw new IllegalStateException("no list of subcommands");
  }

  private static void answer(Map<String, Object> reply) {
    out.println(Json.print(reply));
    out.flush();
  }
}
