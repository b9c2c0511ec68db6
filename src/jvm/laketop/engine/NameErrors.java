package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.analysis.NamespaceAlreadyExistsException;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.catalyst.analysis.NoSuchViewException;
import org.apache.spark.sql.catalyst.analysis.TableAlreadyExistsException;
import org.apache.spark.sql.catalyst.analysis.ViewAlreadyExistsException;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.errors.QueryCompilationErrors;
import scala.collection.immutable.Map;
import scala.collection.immutable.Map$;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** Spark's errors about names, with all of their parts: it makes them of what a catalog is told. */
public final class NameErrors {
  private NameErrors() {}

  public static NoSuchTableException noTable(String catalog, Identifier id) {
    return new NoSuchTableException(seq(parts(catalog, id)));
  }

  public static TableAlreadyExistsException tableTaken(String catalog, Identifier id) {
    return new TableAlreadyExistsException(seq(parts(catalog, id)));
  }

  static NoSuchViewException noView(String catalog, Identifier id) {
    return new NoSuchViewException("VIEW_NOT_FOUND", relation(catalog, id));
  }

  static ViewAlreadyExistsException viewTaken(String catalog, Identifier id) {
    return new ViewAlreadyExistsException("VIEW_ALREADY_EXISTS", relation(catalog, id));
  }

  /** A namespace of two parts begins with a catalog that there is not. */
  public static NoSuchNamespaceException noSchema(String catalog, String[] schema) {
    return new NoSuchNamespaceException(seq(parts(catalog, schema)));
  }

  public static NamespaceAlreadyExistsException schemaTaken(String catalog, String[] schema) {
    return new NamespaceAlreadyExistsException(parts(catalog, schema).toArray(String[]::new));
  }

  /** Of the exception that Spark expects here it tells the schema alone. */
  public static RuntimeException notEmpty(String catalog, String[] schema) {
    return Lake.sneak(
        QueryCompilationErrors.cannotDropNonemptyNamespaceError(seq(parts(catalog, schema))));
  }

  /** Throws the error of a catalog that there is not. */
  public static RuntimeException noCatalog(String name) {
    return Refusal.of("NO_SUCH_CATALOG_EXCEPTION", "Catalog '" + name + "' was not found. Please"
        + " verify the catalog name and then retry the query or command again.");
  }

  /** Returns the name as it is shown, each part in backticks. */
  static String quoted(String catalog, Identifier id) {
    List<String> quoted = new ArrayList<>();
    parts(catalog, id).forEach(part -> quoted.add("`" + part.replace("`", "``") + "`"));
    return String.join(".", quoted);
  }

  private static Map<String, String> relation(String catalog, Identifier id) {
    Map<String, String> none = Map$.MODULE$.empty();
    return none.updated("relationName", quoted(catalog, id));
  }

  private static List<String> parts(String catalog, Identifier id) {
    List<String> parts = parts(catalog, id.namespace());
    parts.add(id.name());
    return parts;
  }

  private static List<String> parts(String catalog, String[] schema) {
    List<String> parts = new ArrayList<>(List.of(schema));
    if (schema.length == 1) {
      parts.add(0, catalog);
    }
    return parts;
  }

  private static Seq<String> seq(List<String> parts) {
    return CollectionConverters.asScala(parts).toSeq();
  }
}
