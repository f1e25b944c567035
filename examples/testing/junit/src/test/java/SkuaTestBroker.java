import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A broker for a test: `skua test-broker`, which ends with this process. SKUA is the command, `npx skua` by default. */
final class SkuaTestBroker implements AutoCloseable {
    private final Process process;
    private final HttpClient http = HttpClient.newHttpClient();
    private final String control;
    final String namesrvAddr;

    SkuaTestBroker(String... options) throws IOException {
        String skua = System.getenv().getOrDefault("SKUA", "npx skua");
        List<String> command = new ArrayList<>(List.of(skua.split(" ")));
        command.add("test-broker");
        command.addAll(List.of(options));
        // Its standard input is a pipe that closes when this process ends, however it does.
        process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String line = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)).readLine();
        if (line == null) throw new IOException("skua test-broker did not start");
        namesrvAddr = member(line, "namesrvAddr");
        control = member(line, "control");
    }

    /** Sends JSON to the control endpoint; what is wrong there is an AssertionError with the answer's text. */
    String ask(String method, String path, String json) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(control + path))
            .method(method, HttpRequest.BodyPublishers.ofString(json)).build();
        HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) throw new AssertionError(answer.body());
        return answer.body();
    }

    void advance(String duration) throws IOException, InterruptedException {
        ask("POST", "/clock/advance", "{\"by\":\"" + duration + "\"}");
    }

    @Override
    public void close() throws IOException, InterruptedException {
        process.getOutputStream().close();
        process.waitFor();
    }

    private static String member(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        if (!found.find()) throw new IllegalStateException(json);
        return found.group(1);
    }
}
