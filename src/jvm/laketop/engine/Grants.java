package laketop.engine;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/** What was granted: {@code _grants/<TYPE>.json} maps "object|principal" to its privileges. */
final class Grants {
  static final String METASTORE = "METASTORE";
  static final String EVERYBODY = "account users";

  private static final String ALL = "ALL PRIVILEGES";
  private static final List<String> TYPES =
      List.of("CATALOG", "SCHEMA", "TABLE", "VOLUME", "FUNCTION");
  private static final String[] COLUMNS = {"Principal", "ActionType", "ObjectType", "ObjectKey"};

  private Grants() {}

  /** Returns whether the user, or everybody, was granted the privilege on just this object. */
  static boolean has(String user, String type, String object, String privilege) {
    Map<String, String> granted = JsonFiles.read(file(type));
    for (String principal : List.of(user, EVERYBODY)) {
      List<String> privileges = privileges(granted, object + "|" + principal);
      if (privileges.contains(privilege) || privileges.contains(ALL)) {
        return true;
      }
    }
    return false;
  }

  static synchronized void change(
      boolean grant, String privileges, String type, String object, String principal) {
    Map<String, String> granted = JsonFiles.read(file(type));
    String key = object + "|" + principal;
    TreeSet<String> set = new TreeSet<>(privileges(granted, key));
    for (String privilege : privileges.toUpperCase(Locale.ROOT).split(",")) {
      String name = privilege.trim().replaceAll("\\s+", " ").replaceAll("^ALL$", ALL);
      if (grant) {
        set.add(name);
      } else {
        set.remove(name);
      }
    }
    if (set.isEmpty()) {
      granted.remove(key);
    } else {
      granted.put(key, String.join(",", set));
    }
    JsonFiles.write(file(type), granted);
  }

  /** Returns the grants on the object and on what it lies in; {@code principal} may be null. */
  static Rows show(String principal, String type, String object) {
    List<Object[]> rows = new ArrayList<>();
    String[] parts = object.split("\\.");
    for (int length = parts.length; length >= 1; length--) {
      String container = String.join(".", Arrays.copyOf(parts, length));
      String kind = length == parts.length ? type : length == 1 ? "CATALOG" : "SCHEMA";
      Map<String, String> granted = JsonFiles.read(file(kind));
      granted.keySet().stream().sorted().forEach(key -> {
        String who = key.substring(key.lastIndexOf('|') + 1);
        if (key.equals(container + "|" + who) && (principal == null || principal.equals(who))) {
          privileges(granted, key).forEach(p -> rows.add(new Object[] {who, p, kind, container}));
        }
      });
    }
    return new Rows("grants", COLUMNS, rows);
  }

  /** Forgets the grants on an object that is gone, and on all that it held. */
  static void forget(String object) {
    rewrite(object, name -> null);
  }

  static void rename(String from, String to) {
    rewrite(from, name -> to + name.substring(from.length()));
  }

  private static synchronized void rewrite(String object, UnaryOperator<String> change) {
    for (String type : TYPES) {
      Map<String, String> granted = JsonFiles.read(file(type));
      Map<String, String> changed = new HashMap<>();
      granted.forEach((key, privileges) -> {
        int bar = key.lastIndexOf('|');
        String name = key.substring(0, bar);
        boolean inside = name.equals(object) || name.startsWith(object + ".");
        String renamed = inside ? change.apply(name) : name;
        if (renamed != null) {
          changed.put(renamed + key.substring(bar), privileges);
        }
      });
      if (!changed.equals(granted)) {
        JsonFiles.write(file(type), changed);
      }
    }
  }

  private static List<String> privileges(Map<String, String> granted, String key) {
    String privileges = granted.get(key);
    return privileges == null ? List.of() : List.of(privileges.split(","));
  }

  private static Path file(String type) {
    return Lake.root().resolve("_grants").resolve(type + ".json");
  }
}
