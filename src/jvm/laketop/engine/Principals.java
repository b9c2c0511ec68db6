package laketop.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Who somebody is: the user, everybody, and the groups of {@code _groups.json}, also nested. */
final class Principals {
  private Principals() {}

  /** Returns all names under which this user may have been granted something. */
  static Set<String> of(String user) {
    Set<String> known = new TreeSet<>(groups(user));
    known.add(user);
    known.add(Grants.EVERYBODY);
    return known;
  }

  static boolean is(String user, String principal) {
    return user.equals(principal) || principal != null && groups(user).contains(principal);
  }

  /** Returns the groups that the user is in, by way of other groups too. */
  static Set<String> groups(String user) {
    Map<String, String> members = all();
    Set<String> found = new TreeSet<>();
    Deque<String> open = new ArrayDeque<>(List.of(user));
    while (!open.isEmpty()) {
      String member = open.pop();
      members.forEach((group, list) -> {
        if (list.lines().anyMatch(member::equals) && found.add(group)) {
          open.push(group);
        }
      });
    }
    return found;
  }

  /** Returns every group's members, each on a line of its own. */
  static Map<String, String> all() {
    return JsonFiles.look(Lake.root().resolve("_groups.json"));
  }
}
