import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import javax.crypto.Cipher;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.kms.KmsAsyncClient;
import software.amazon.awssdk.services.kms.model.EncryptionAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.KeySpec;
import software.amazon.awssdk.services.kms.model.KeyUsageType;
import software.amazon.awssdk.services.kms.model.KmsException;
import software.amazon.awssdk.services.kms.model.MessageType;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.Tag;

/** Canton's own layer over KMS: its calls, their parameters and their order, and which failures it tries again. */
final class CantonKms implements AutoCloseable {
  /** Key as Canton keeps it: the bare id, or what the operator has registered. */
  record Key(String id, byte[] spki, String spec) {}

  /** The only failure after which Canton itself tries again, for ever; the SDK has tried four times before. */
  private static final String CLOSED = "connection was closed during the request";
  private static final int FIRST_PAUSE_MS = 500;
  private static final int LAST_PAUSE_MS = 10_000;

  private final KmsAsyncClient kms = KmsAsyncClient.create();
  private int outerTries;

  /** Number of tries of the last command in Canton's own loop. */
  int outerTries() {
    int tries = outerTries;
    outerTries = 0;
    return tries;
  }

  Key createKey(String name, String purpose, String spec, boolean multiRegion) {
    KeyUsageType usage = purpose.equals("signing") ? KeyUsageType.SIGN_VERIFY : KeyUsageType.ENCRYPT_DECRYPT;
    String id = create(name, usage, KeySpec.fromValue(spec), multiRegion);
    describe(id);
    return register(id, usage.toString());
  }

  String createWrapper() {
    return describe(create("", KeyUsageType.ENCRYPT_DECRYPT, KeySpec.SYMMETRIC_DEFAULT, false));
  }

  private String create(String name, KeyUsageType usage, KeySpec spec, boolean multiRegion) {
    return call(() -> kms.createKey(r -> r.description(name).keyUsage(usage).keySpec(spec).multiRegion(multiRegion)
        .tags(Tag.builder().tagKey("CreatedBy").tagValue("Canton").build()))).keyMetadata().keyId();
  }

  /** Looks at Enabled alone, and once: a key that is not there yet is a failure. */
  String describe(String id) {
    if (!call(() -> kms.describeKey(r -> r.keyId(id))).keyMetadata().enabled()) throw new IllegalStateException("KmsKeyDisabledError");
    return id;
  }

  Key register(String reference, String usage) {
    var answer = call(() -> kms.getPublicKey(r -> r.keyId(reference)));
    if (!answer.keyUsageAsString().equals(usage)) throw new IllegalStateException("KmsInvalidKeyUsage");
    return new Key(reference, answer.publicKey().asByteArray(), answer.keySpecAsString());
  }

  byte[] sign(String id, byte[] message, String spec) {
    var algorithm = spec.equals("ECC_NIST_P384") ? SigningAlgorithmSpec.ECDSA_SHA_384 : SigningAlgorithmSpec.ECDSA_SHA_256;
    return call(() -> kms.sign(r -> r.keyId(id).message(SdkBytes.fromByteArray(message)).messageType(MessageType.RAW)
        .signingAlgorithm(algorithm))).signature().asByteArray();
  }

  String decrypt(String id, byte[] ciphertext) {
    return call(() -> kms.decrypt(r -> r.keyId(id).ciphertextBlob(SdkBytes.fromByteArray(ciphertext))
        .encryptionAlgorithm(EncryptionAlgorithmSpec.RSAES_OAEP_SHA_256))).plaintext().asUtf8String();
  }

  byte[] seal(String id, String text) {
    return call(() -> kms.encrypt(r -> r.keyId(id).plaintext(SdkBytes.fromUtf8String(text))
        .encryptionAlgorithm(EncryptionAlgorithmSpec.SYMMETRIC_DEFAULT))).ciphertextBlob().asByteArray();
  }

  String unseal(String id, byte[] blob) {
    return call(() -> kms.decrypt(r -> r.keyId(id).ciphertextBlob(SdkBytes.fromByteArray(blob))
        .encryptionAlgorithm(EncryptionAlgorithmSpec.SYMMETRIC_DEFAULT))).plaintext().asUtf8String();
  }

  void delete(String id) {
    call(() -> kms.scheduleKeyDeletion(r -> r.keyId(id).pendingWindowInDays(7)));
  }

  @Override
  public void close() {
    kms.close();
  }

  private <T> T call(Supplier<CompletableFuture<T>> send) {
    for (int pause = FIRST_PAUSE_MS;; pause = Math.min(2 * pause, LAST_PAUSE_MS)) {
      outerTries += 1;
      try {
        return send.get().join();
      } catch (CompletionException failure) {
        if (!String.valueOf(failure.getMessage()).contains(CLOSED)) throw failure;
        try {
          Thread.sleep(pause);
        } catch (InterruptedException interrupted) {
          throw failure;
        }
      }
    }
  }

  /** Name of a failure: AWS's, or the class of what the SDK has thrown. */
  static String nameOf(RuntimeException failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause instanceof KmsException refusal) return refusal.awsErrorDetails().errorCode();
    return cause instanceof IllegalStateException ? cause.getMessage() : cause.getClass().getSimpleName();
  }

  /** Multihash of a text, 34 bytes: what Canton signs for hashes of its protocol. */
  static byte[] multihash(String text) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(SdkBytes.fromUtf8String(text).asByteArray());
      byte[] message = new byte[34];
      message[0] = 0x12;
      message[1] = 0x20;
      System.arraycopy(hash, 0, message, 2, hash.length);
      return message;
    } catch (GeneralSecurityException failure) {
      throw new IllegalStateException(failure);
    }
  }

  /** Verifies a signature, of either s; null for secp256k1, which Java has no code for. */
  static Boolean verify(byte[] spki, String spec, byte[] message, byte[] signature) {
    if (spec.equals("ECC_SECG_P256K1")) return null;
    try {
      var verifier = Signature.getInstance(spec.equals("ECC_NIST_P384") ? "SHA384withECDSA" : "SHA256withECDSA");
      verifier.initVerify(publicKey("EC", spki));
      verifier.update(message);
      return verifier.verify(signature);
    } catch (GeneralSecurityException failure) {
      return false;
    }
  }

  /** Encrypts for the holder of an RSA key: OAEP whose hash and MGF1 are SHA-256. */
  static byte[] encrypt(byte[] spki, String text) {
    try {
      var cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
      var parameters = new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT);
      cipher.init(Cipher.ENCRYPT_MODE, publicKey("RSA", spki), parameters);
      return cipher.doFinal(SdkBytes.fromUtf8String(text).asByteArray());
    } catch (GeneralSecurityException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private static PublicKey publicKey(String algorithm, byte[] spki) throws GeneralSecurityException {
    return KeyFactory.getInstance(algorithm).generatePublic(new X509EncodedKeySpec(spki));
  }
}
