package laketop.engine;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.TableChange;

/**
 * Tags: {@code _tags/t.json} holds {@code tag:<key>} of the object, and {@code tag:<column>:<key>}
 * of its columns.
 */
final class Tags {
  private static final String WORD = "`[^`]+`|'[^']*'|[\\w-]+";
  static final List<Statement> ALL = List.of(
      Statement.of("ALTER~(?<type>TABLE|VIEW|SCHEMA|DATABASE|CATALOG|VOLUME)~<name>"
          + "(?:~ALTER~COLUMN~(?<column>`[^`]+`|\\w+))?"
          + "~(?<verb>SET|UNSET)~TAGS\\s*\\((?<tags>.*)\\)", Tags::many),
      Statement.of("(?<verb>SET|UNSET)~TAG~ON~(?<type>TABLE|VIEW|SCHEMA|DATABASE|CATALOG|VOLUME"
          + "|COLUMN)~<name>~(?<key>" + WORD + ")(?:\\s*=\\s*(?<value>" + WORD + "))?", Tags::one));
  private static final String STRING = "'((?:[^'\\\\]|\\\\.)*)'";
  private static final Pattern TAG = Pattern.compile(STRING + "(?:\\s*=\\s*" + STRING + ")?");

  private Tags() {}

  private static Rows many(SparkSession session, Matcher words) {
    String type = GrantStatements.type(words);
    String[] name = GrantStatements.name(session, type, words.group("name"));
    String column = words.group("column");
    Map<String, String> tags = new HashMap<>();
    Matcher tag = TAG.matcher(words.group("tags"));
    while (tag.find()) {
      tags.put(tag.group(1), tag.group(2));
    }
    change(session, type, name, column == null ? null : plain(column), words, tags);
    return null;
  }

  private static Rows one(SparkSession session, Matcher words) {
    boolean ofColumn = words.group("type").equalsIgnoreCase("COLUMN");
    String written = words.group("name");
    String column = null;
    if (ofColumn) {
      List<String> parts = Names.written(session, written);
      column = parts.remove(parts.size() - 1);
      written = parts.stream().map(Sql::quoted).collect(Collectors.joining("."));
    }
    String type = ofColumn ? "TABLE" : GrantStatements.type(words);
    Map<String, String> tags = new HashMap<>();
    String value = words.group("value");
    tags.put(plain(words.group("key")), value == null ? null : plain(value));
    change(session, type, GrantStatements.name(session, type, written), column, words, tags);
    return null;
  }

  private static String plain(String word) {
    return word.replaceAll("^[`']|[`']$", "");
  }

  private static void change(SparkSession session, String type, String[] name, String column,
      Matcher words, Map<String, String> given) {
    Securables.require(session, type, name);
    Access.require("APPLY TAG", type, String.join(".", name));
    if (column != null) {
      requireColumn(TableStatements.catalog(session, name), name, column);
    }
    String prefix = "tag:" + (column == null ? "" : Names.key(column) + ":");
    boolean sets = words.group("verb").equalsIgnoreCase("SET");
    Lake.change(file(type, name), tags -> given.forEach((key, value) -> {
      if (sets) {
        tags.put(prefix + key, value == null ? "" : value);
      } else {
        tags.remove(prefix + key);
      }
    }));
  }

  private static void requireColumn(LakeCatalog catalog, String[] table, String column) {
    boolean known = catalog.columns(Identifier.of(new String[] {table[1]}, table[2]))
        .orElseThrow(() -> Refusal.missing("TABLE_OR_VIEW_NOT_FOUND", "table", table))
        .has(column);
    if (!known) {
      throw Refusal.of("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
          "`" + column + "` is no column of `" + String.join("`.`", table) + "`.");
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
