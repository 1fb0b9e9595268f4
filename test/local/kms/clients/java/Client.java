import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.DataKeyPairSpec;
import software.amazon.awssdk.services.kms.model.DataKeySpec;
import software.amazon.awssdk.services.kms.model.GrantOperation;
import software.amazon.awssdk.services.kms.model.KeySpec;
import software.amazon.awssdk.services.kms.model.KeyUsageType;
import software.amazon.awssdk.services.kms.model.KmsException;
import software.amazon.awssdk.services.kms.model.MacAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.NotFoundException;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.Tag;

/** Uses the KMS that its environment names as a program with AWS's SDK for Java does, and prints what it saw as JSON. */
public final class Client {
  private static SdkBytes bytes(String text) {
    return SdkBytes.fromUtf8String(text);
  }

  private static Object saw(Supplier<Object> call) {
    try {
      return call.get();
    } catch (KmsException error) {
      return error.awsErrorDetails().errorCode();
    }
  }

  private static Object refusal(Supplier<Object> call) {
    return saw(call) instanceof String refusal ? refusal : "answered";
  }

  private static String json(Object value) {
    if (value instanceof List<?> list) {
      List<String> items = new ArrayList<>();
      for (Object item : list) items.add(json(item));
      return "[" + String.join(",", items) + "]";
    }
    return value instanceof String text ? "\"" + text + "\"" : String.valueOf(value);
  }

  public static void main(String[] arguments) {
    Map<String, Object> seen = new TreeMap<>();
    try (KmsClient kms = KmsClient.create()) {
      String key = kms.createKey(r -> r.tags(Tag.builder().tagKey("CreatedBy").tagValue("Java").build()))
          .keyMetadata().arn();
      Map<String, String> context = Map.of("purpose", "test");
      SdkBytes blob = kms.encrypt(r -> r.keyId(key).plaintext(bytes("a message")).encryptionContext(context))
          .ciphertextBlob();
      seen.put("decrypted", kms.decrypt(r -> r.ciphertextBlob(blob).encryptionContext(context)).plaintext()
          .asString(StandardCharsets.UTF_8));
      seen.put("tags", kms.listResourceTags(r -> r.keyId(key)).tags().stream().map(Tag::tagKey).toList());
      kms.createAlias(r -> r.aliasName("alias/java").targetKeyId(key));
      seen.put("aliases", kms.listAliases(r -> r.keyId(key)).aliases().stream().map(a -> a.aliasName()).toList());
      seen.put("rotates", kms.getKeyRotationStatus(r -> r.keyId(key)).keyRotationEnabled());
      kms.disableKey(r -> r.keyId(key));
      seen.put("disabled", refusal(() -> kms.encrypt(r -> r.keyId(key).plaintext(bytes("a")))));
      kms.enableKey(r -> r.keyId(key));
      String signing = kms.createKey(r -> r.keySpec(KeySpec.ECC_SECG_P256_K1).keyUsage(KeyUsageType.SIGN_VERIFY))
          .keyMetadata().keyId();
      SdkBytes signature = kms.sign(r -> r.keyId(signing).message(bytes("a message"))
          .signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_256)).signature();
      seen.put("verified", kms.verify(r -> r.keyId(signing).message(bytes("a message")).signature(signature)
          .signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_256)).signatureValid());
      seen.put("forged", refusal(() -> kms.verify(r -> r.keyId(signing).message(bytes("another"))
          .signature(signature).signingAlgorithm(SigningAlgorithmSpec.ECDSA_SHA_256))));
      seen.put("publicKey", kms.getPublicKey(r -> r.keyId(signing)).keySpecAsString());
      String macKey = kms.createKey(r -> r.keySpec(KeySpec.HMAC_256).keyUsage(KeyUsageType.GENERATE_VERIFY_MAC))
          .keyMetadata().keyId();
      SdkBytes mac = kms.generateMac(r -> r.keyId(macKey).message(bytes("a"))
          .macAlgorithm(MacAlgorithmSpec.HMAC_SHA_256)).mac();
      seen.put("mac", kms.verifyMac(r -> r.keyId(macKey).message(bytes("a")).mac(mac)
          .macAlgorithm(MacAlgorithmSpec.HMAC_SHA_256)).macValid());
      var dataKey = kms.generateDataKey(r -> r.keyId(key).keySpec(DataKeySpec.AES_256));
      seen.put("dataKey", kms.decrypt(r -> r.ciphertextBlob(dataKey.ciphertextBlob())).plaintext()
          .equals(dataKey.plaintext()));
      // A KMS that has neither pairs nor grants says so by name.
      seen.put("pair", saw(() -> {
        var pair = kms.generateDataKeyPair(r -> r.keyId(key).keyPairSpec(DataKeyPairSpec.ECC_NIST_P256));
        return kms.decrypt(r -> r.ciphertextBlob(pair.privateKeyCiphertextBlob())).plaintext()
            .equals(pair.privateKeyPlaintext());
      }));
      seen.put("grants", saw(() -> {
        String grant = kms.createGrant(r -> r.keyId(key).granteePrincipal("arn:aws:iam::111122223333:role/node")
            .operations(GrantOperation.DECRYPT)).grantId();
        List<Boolean> grants = kms.listGrants(r -> r.keyId(key)).grants().stream()
            .map(listed -> listed.grantId().equals(grant)).toList();
        kms.revokeGrant(r -> r.keyId(key).grantId(grant));
        return grants;
      }));
      List<String> own = List.of(key.substring(key.indexOf('/') + 1), signing, macKey);
      seen.put("listed", kms.listKeysPaginator(r -> r.limit(1)).keys().stream()
          .filter(listed -> own.contains(listed.keyId())).count());
      try {
        kms.describeKey(r -> r.keyId("alias/nobody"));
      } catch (NotFoundException error) {
        seen.put("notFound", error.awsErrorDetails().errorCode());
      }
      seen.put("invalid", refusal(() -> kms.generateRandom(r -> r.numberOfBytes(1025))));
      seen.put("pending", kms.scheduleKeyDeletion(r -> r.keyId(key).pendingWindowInDays(7)).keyStateAsString());
    }
    List<String> members = new ArrayList<>();
    seen.forEach((name, value) -> members.add("\"" + name + "\":" + json(value)));
    System.out.println("{" + String.join(",", members) + "}");
  }
}
