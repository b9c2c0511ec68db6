package laketop.engine;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/** What was granted: {@code _grants/<TYPE>.json} maps "object|principal" to its privileges. */
final class Grants {
  static final String METASTORE = "METASTORE";
  static final String EVERYBODY = "account users";

  private static final List<String> TYPES =
      List.of("CATALOG", "SCHEMA", "TABLE", "VOLUME", "FUNCTION");
  private static final String[] COLUMNS = {"Principal", "ActionType", "ObjectType", "ObjectKey"};

  private Grants() {}

  /** Returns whether the user, or everybody, was granted the privilege on just this object. */
  static boolean has(String user, String type, String object, String privilege) {
    Map<String, String> granted = JsonFiles.look(file(type));
    return Principals.of(user).stream().anyMatch(principal ->
        Privileges.covers(privileges(granted, object + "|" + principal), privilege));
  }

  static void change(
      boolean grant, Set<String> privileges, String type, String object, String principal) {
    Lake.alone(() -> changed(grant, privileges, type, object, principal));
  }

  private static void changed(
      boolean grant, Set<String> privileges, String type, String object, String principal) {
    Map<String, String> granted = JsonFiles.read(file(type));
    String key = object + "|" + principal;
    TreeSet<String> set = new TreeSet<>(privileges(granted, key));
    if (grant) {
      set.addAll(privileges);
    } else if (privileges.contains(Privileges.ALL)) {
      set.retainAll(Set.of(Privileges.MANAGE));
      set.removeAll(privileges);
    } else {
      set.removeAll(privileges);
    }
    if (set.isEmpty()) {
      granted.remove(key);
    } else {
      granted.put(key, String.join(",", set));
    }
    JsonFiles.write(file(type), granted);
  }

  /** Returns the grants on the object and on what it lies in, of those principals. */
  static Rows show(Predicate<String> principals, String type, String object) {
    List<Object[]> rows = new ArrayList<>();
    String[] parts = object.split("\\.");
    for (int length = parts.length; length >= 1; length--) {
      String container = String.join(".", Arrays.copyOf(parts, length));
      String kind = length == parts.length ? type : length == 1 ? "CATALOG" : "SCHEMA";
      Map<String, String> granted = JsonFiles.read(file(kind));
      granted.keySet().stream().sorted().forEach(key -> {
        String who = key.substring(key.lastIndexOf('|') + 1);
        if (key.equals(container + "|" + who) && principals.test(who)) {
          privileges(granted, key).forEach(p -> rows.add(new Object[] {who, p, kind, container}));
        }
      });
    }
    return new Rows("grants", COLUMNS, rows);
  }

  /** Returns the privileges on just this object, by principal. */
  static Map<String, List<String>> on(String type, String object) {
    Map<String, String> granted = JsonFiles.look(file(type));
    Map<String, List<String>> found = new TreeMap<>();
    granted.keySet().forEach(key -> {
      int bar = key.lastIndexOf('|');
      if (key.substring(0, bar).equals(object)) {
        found.put(key.substring(bar + 1), privileges(granted, key));
      }
    });
    return found;
  }

  /** Forgets the grants on a catalog or schema that is gone or new, and on all that it held. */
  static void forgetAll(String container) {
    Lake.alone(() -> TYPES.forEach(type -> rewrite(type, container, null)));
  }

  /** Forgets the grants on a table, view, volume or function that is gone or new. */
  static void forget(String type, String object) {
    Lake.alone(() -> rewrite(type, object, null));
  }

  static void rename(String type, String from, String to) {
    Lake.alone(() -> rewrite(type, from, to));
  }

  /** Gives what was granted on the object, and in it, to that of another name, or to none. */
  private static void rewrite(String type, String object, String renamed) {
    Map<String, String> granted = JsonFiles.read(file(type));
    Map<String, String> changed = new HashMap<>();
    granted.forEach((key, privileges) -> {
      String name = key.substring(0, key.lastIndexOf('|'));
      boolean inside = name.equals(object) || name.startsWith(object + ".");
      if (!inside) {
        changed.put(key, privileges);
      } else if (renamed != null) {
        changed.put(renamed + key.substring(object.length()), privileges);
      }
    });
    if (!changed.equals(granted)) {
      JsonFiles.write(file(type), changed);
    }
  }

  private static List<String> privileges(Map<String, String> granted, String key) {
    String privileges = granted.get(key);
    return privileges == null ? List.of() : List.of(privileges.split(","));
  }

  private static Path file(String type) {
    return folder().resolve(type + ".json");
  }

  private static Path folder() {
    return Lake.root().resolve("_grants");
  }
}
