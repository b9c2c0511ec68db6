package laketop.engine;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.TableChange;

/**
 * Tags: {@code _tags/t.json} holds {@code tag:<key>} of the object, and {@code tag:<column>:<key>}
 * of its columns.
 */
final class Tags {
  static final List<Statement> ALL = List.of(
      Statement.of("ALTER~(?<type>TABLE|VIEW|SCHEMA|DATABASE|CATALOG|VOLUME)~<name>"
          + "(?:~ALTER~COLUMN~(?<column>`[^`]+`|\\w+))?"
          + "~(?<verb>SET|UNSET)~TAGS\\s*\\((?<tags>.*)\\)", Tags::change));
  private static final String STRING = "'((?:[^'\\\\]|\\\\.)*)'";
  private static final Pattern TAG = Pattern.compile(STRING + "(?:\\s*=\\s*" + STRING + ")?");

  private Tags() {}

  private static Rows change(SparkSession session, Matcher words) {
    String type = GrantStatements.type(words);
    String[] name = GrantStatements.name(session, type, words.group("name"));
    Securables.require(session, type, name);
    Access.require("APPLY TAG", type, String.join(".", name));
    String column = words.group("column");
    if (column != null) {
      requireColumn(TableStatements.catalog(session, name), name, column.replace("`", ""));
    }
    Lake.change(file(type, name), tags -> change(words, tags));
    return null;
  }

  private static void requireColumn(LakeCatalog catalog, String[] table, String column) {
    Column[] columns;
    try {
      columns = catalog.loadRelation(Identifier.of(new String[] {table[1]}, table[2])).columns();
    } catch (NoSuchTableException e) {
      throw Lake.sneak(e); // it was dropped a moment ago
    }
    if (Arrays.stream(columns).noneMatch(known -> known.name().equalsIgnoreCase(column))) {
      throw Refusal.of("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
          "`" + column + "` is no column of `" + String.join("`.`", table) + "`.");
    }
  }

  private static void change(Matcher words, Map<String, String> tags) {
    String column = words.group("column");
    String prefix = column == null ? "" : Names.key(column.replace("`", "")) + ":";
    Matcher tag = TAG.matcher(words.group("tags"));
    while (tag.find()) {
      String key = "tag:" + prefix + tag.group(1);
      if (words.group("verb").equalsIgnoreCase("SET")) {
        tags.put(key, tag.group(2) == null ? "" : tag.group(2));
      } else {
        tags.remove(key);
      }
    }
  }

  private static Path file(String type, String[] name) {
    return switch (type) {
      case "CATALOG" -> Catalogs.existing(name[0]).resolve("_tags.json");
      case "SCHEMA" -> Lake.schema(name[0], name[1]).resolve("_tags.json");
      default -> Lake.entry("tags", name);
    };
  }

  /** Lets the tags of a column go with it where it is renamed or dropped. */
  static void follow(String[] table, TableChange change) {
    Path file = Lake.entry("tags", table);
    if (!(change instanceof TableChange.ColumnChange column)
        || column.fieldNames().length != 1
        || JsonFiles.read(file).isEmpty()) {
      return;
    }
    String from = "tag:" + Names.key(column.fieldNames()[0]) + ":";
    if (change instanceof TableChange.RenameColumn rename) {
      move(file, from, "tag:" + Names.key(rename.newName()) + ":");
    } else if (change instanceof TableChange.DeleteColumn) {
      move(file, from, null);
    }
  }

  private static void move(Path file, String from, String to) {
    Lake.change(file, tags -> {
      Map<String, String> old = new HashMap<>(tags);
      old.keySet().removeIf(key -> !key.startsWith(from));
      tags.keySet().removeAll(old.keySet());
      if (to != null) {
        old.forEach((key, value) -> tags.put(to + key.substring(from.length()), value));
      }
    });
  }
}
