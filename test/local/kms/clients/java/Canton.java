import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * Calls KMS as Canton 3.5 does, by AWS's SDK for Java with its asynchronous client. Reads one command a line and prints what
 * came of it as one line of JSON:
 *
 *   key NAME signing|encryption SPEC true|false   makes a key, of several Regions or of one; NAME is - for none
 *   register REFERENCE SIGN_VERIFY|ENCRYPT_DECRYPT   takes a key that is there, by id, ARN or alias
 *   sign ID SPKI SPEC TEXT        signs a multihash of the text, and verifies by Java's own code where it has the curve
 *   open ID SPKI TEXT             encrypts the text here, and has it decrypted
 *   wrapper [ID]                  makes or takes the key of the encrypted store
 *   seal ID TEXT, unseal ID BLOB  encrypts and decrypts a key of the encrypted store
 *   delete ID                     orders the deletion of a key
 */
public final class Canton {
  public static void main(String[] arguments) throws Exception {
    var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    try (CantonKms kms = new CantonKms()) {
      var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        out.println(json(carryOut(kms, line.split(" "))));
      }
    }
  }

  private static Map<String, Object> carryOut(CantonKms kms, String[] words) {
    Map<String, Object> result = new TreeMap<>();
    long start = System.nanoTime();
    try {
      switch (words[0]) {
        case "key" -> {
          var key = kms.createKey(words[1].equals("-") ? "" : words[1], words[2], words[3], words[4].equals("true"));
          result.putAll(Map.of("id", key.id(), "spki", hex(key.spki()), "spec", key.spec()));
        }
        case "register" -> {
          var key = kms.register(words[1], words[2]);
          result.putAll(Map.of("id", key.id(), "spki", hex(key.spki()), "spec", key.spec()));
        }
        case "sign" -> {
          byte[] message = CantonKms.multihash(words[4]);
          byte[] signature = kms.sign(words[1], message, words[3]);
          result.putAll(Map.of("message", hex(message), "signature", hex(signature)));
          result.put("verified", CantonKms.verify(bytes(words[2]), words[3], message, signature));
        }
        case "open" -> result.put("text", kms.decrypt(words[1], CantonKms.encrypt(bytes(words[2]), words[3])));
        case "wrapper" -> result.put("id", words.length > 1 ? kms.describe(words[1]) : kms.createWrapper());
        case "seal" -> result.put("blob", hex(kms.seal(words[1], words[2])));
        case "unseal" -> result.put("text", kms.unseal(words[1], bytes(words[2])));
        case "delete" -> kms.delete(words[1]);
        default -> throw new IllegalArgumentException(words[0]);
      }
    } catch (RuntimeException failure) {
      result.put("error", CantonKms.nameOf(failure));
    }
    result.put("tries", kms.outerTries());
    result.put("ms", (System.nanoTime() - start) / 1_000_000);
    return result;
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex);
  }

  private static String json(Map<String, Object> members) {
    var text = new StringBuilder();
    members.forEach((name, value) -> text.append(text.isEmpty() ? "{" : ",").append('"').append(name).append("\":")
        .append(value instanceof String string ? '"' + string + '"' : value));
    return text.append('}').toString();
  }
}
