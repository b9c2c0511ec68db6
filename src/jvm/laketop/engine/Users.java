package laketop.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/** The people of {@code _users.json}, known by the SHA-256 of their tokens. */
final class Users {
  /** Whom the engine's own statements run as. */
  static final String ENGINE = "laketop";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static volatile Snapshot last = new Snapshot("", Map.of());

  /** A person; an admin may do everything. */
  record User(String name, boolean admin) {}

  private record Snapshot(String stamp, Map<String, User> byDigest) {}

  private Users() {}

  /** Returns the user of this token, or null; the Python of a stream is its user for as long as
   * there is one. */
  static User ofToken(String token) {
    Map<String, User> known = read();
    String name = StreamWorkers.userOf(token);
    return name == null
        ? known.get(digest(token))
        : known.values().stream().filter(user -> user.name().equals(name)).findFirst().orElse(null);
  }

  static boolean isAdmin(String name) {
    return name.equals(ENGINE)
        || read().values().stream().anyMatch(user -> user.admin() && user.name().equals(name));
  }

  /** Returns the name of an admin, who owns what nobody made. */
  static String anyAdmin() {
    return read().values().stream()
        .filter(User::admin)
        .map(User::name)
        .sorted()
        .findFirst()
        .orElse(ENGINE);
  }

  static String digest(String token) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha.digest(token.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Reads the file again when it was replaced. */
  private static Map<String, User> read() {
    Path file = Lake.root().resolve("_users.json");
    try {
      var a = Files.readAttributes(file, BasicFileAttributes.class);
      String stamp = a.lastModifiedTime() + " " + a.size() + " " + a.fileKey();
      Snapshot snapshot = last;
      if (!snapshot.stamp().equals(stamp)) {
        snapshot = new Snapshot(stamp, parse(file));
        last = snapshot;
      }
      return snapshot.byDigest();
    } catch (NoSuchFileException e) {
      return Map.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<String, User> parse(Path file) throws IOException {
    Map<String, User> users = new TreeMap<>();
    JSON.readTree(file.toFile()).properties().forEach(entry -> {
      JsonNode body = entry.getValue();
      User user = new User(body.path("user").asText(), body.path("admin").asBoolean());
      users.put(entry.getKey(), user);
    });
    return users;
  }
}
