import com.typesafe.config.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/**
 * Reads configurations by com.typesafe:config as Canton does: each text parsed, later over earlier, then resolved against
 * an environment. A request is a line of JSON, {"texts": [text, …], "environment": {name: value}}; the response is a line:
 * {"value": …}, or {"refused": class}.
 */
public class Oracle {
  public static void main(String[] args) throws IOException {
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var output = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    var rendered = ConfigRenderOptions.concise();
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      try {
        var request = ConfigFactory.parseString(line, ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON));
        var environment = request.getObject("environment").unwrapped();
        var config = ConfigFactory.empty();
        for (String text : request.getStringList("texts")) config = ConfigFactory.parseString(text).withFallback(config);
        var resolver = new ConfigResolver() {
          public ConfigValue lookup(String path) {
            Object value = environment.get(String.join(".", ConfigUtil.splitPath(path)));
            return value == null ? null : ConfigValueFactory.fromAnyRef(value);
          }
          public ConfigResolver withFallback(ConfigResolver fallback) { return this; }
        };
        var resolved = config.resolve(ConfigResolveOptions.noSystem().appendResolver(resolver));
        output.println("{\"value\":" + resolved.root().render(rendered) + "}");
      } catch (ConfigException error) {
        output.println("{\"refused\":\"" + error.getClass().getSimpleName() + "\"}");
      } catch (StackOverflowError error) {
        output.println("{\"refused\":\"StackOverflowError\"}");
      }
    }
  }
}
