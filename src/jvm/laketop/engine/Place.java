package laketop.engine;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.catalyst.catalog.CatalogTable;
import org.apache.spark.sql.catalyst.catalog.CatalogTableType;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.View;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.delta.DeltaLogFileIndex;
import org.apache.spark.sql.delta.catalog.DeltaTableV2;
import org.apache.spark.sql.delta.commands.cdc.CDCReader;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/** What lineage leads from or to: a TABLE or VIEW of the catalog, or files by their PATH. */
record Place(String type, String name, String path) {
  private static final String PATH = "PATH";
  private static final int MOST_PATHS = 20;
  private static final int TABLE_DEPTH = 3;

  /** Returns the place as the journal has it. */
  Map<String, String> told() {
    Map<String, String> told = new TreeMap<>(Map.of("type", type));
    if (name != null) {
      told.put("name", name);
    }
    if (path != null) {
      told.put("path", path);
    }
    return told;
  }

  /** Returns what a leaf of an analysed plan, or a view, reads: nothing for what is no place. */
  static List<Place> of(LogicalPlan plan) {
    if (plan instanceof View view) {
      return view.isTempView() ? List.of() : some(of(view.desc()));
    }
    if (plan instanceof DataSourceV2Relation relation) {
      return some(of(relation));
    }
    return plan instanceof LogicalRelation relation ? of(relation) : List.of();
  }

  private static Place of(DataSourceV2Relation relation) {
    if (relation.catalog().isDefined()
        && relation.catalog().get() instanceof LakeCatalog catalog
        && relation.identifier().isDefined()) {
      return table(catalog.name(), relation.identifier().get(), "TABLE");
    }
    return relation.table() instanceof DeltaTableV2 table ? of(table) : null;
  }

  private static List<Place> of(LogicalRelation relation) {
    if (relation.catalogTable().isDefined()) {
      return some(of((CatalogTable) relation.catalogTable().get()));
    }
    if (relation.relation() instanceof CDCReader.DeltaCDFRelation changes) {
      return some(of(changes.snapshotWithSchemaMode().snapshot().deltaLog().dataPath()));
    }
    if (!(relation.relation() instanceof HadoopFsRelation files)
        || files.location() instanceof DeltaLogFileIndex) {
      return List.of();
    }
    List<Place> places = new ArrayList<>();
    for (Path path : CollectionConverters.asJava(files.location().rootPaths())) {
      if (places.size() < MOST_PATHS) {
        places.addAll(some(of(path)));
      }
    }
    return places;
  }

  static Place of(DeltaTableV2 table) {
    return of(table.catalogTable(), table.path());
  }

  /** Returns the table if the catalog has one, else the path. */
  static Place of(Option<CatalogTable> table, Path path) {
    return table.isDefined() ? of(table.get()) : of(path);
  }

  static Place of(CatalogTable table) {
    TableIdentifier id = table.identifier();
    Option<URI> location = table.storage().locationUri();
    if (id.table().startsWith("/") || id.table().contains(":/")) {
      return of(new Path(id.table()));
    }
    if (id.catalog().isEmpty() || id.database().isEmpty()) {
      return location.isDefined() ? of(new Path(location.get())) : null;
    }
    String type = table.tableType() == CatalogTableType.VIEW() ? "VIEW" : "TABLE";
    String[] schema = {id.database().get()};
    return table(id.catalog().get(), Identifier.of(schema, id.table()), type);
  }

  /** Returns a table or view by its name; null for what laketop itself computes or writes. */
  static Place table(String catalog, Identifier id, String type) {
    boolean path = id.name().startsWith("/") || id.name().contains(":/");
    if (path) {
      return of(new Path(id.name()));
    }
    boolean own = catalog.equals(Lake.SYSTEM) || id.namespace().length != 1
        || InformationSchema.holds(id);
    return own ? null : new Place(type, Access.object(catalog, id), null);
  }

  /** Returns the files at a path, or the managed table whose folder it is. */
  static Place of(Path path) {
    String place = path.toUri().getPath();
    java.nio.file.Path root = Lake.root();
    java.nio.file.Path folder = java.nio.file.Path.of(place).normalize();
    if (!folder.startsWith(root)) {
      return new Place(PATH, null, spelled(path));
    }
    java.nio.file.Path inside = root.relativize(folder);
    if (inside.getNameCount() != TABLE_DEPTH || inside.getName(2).toString().startsWith("_")) {
      return null; // of the engine's own, or a part of a table
    }
    String[] schema = {inside.getName(1).toString()};
    return table(inside.getName(0).toString(),
        Identifier.of(schema, inside.getName(2).toString()), "TABLE");
  }

  private static String spelled(Path path) {
    String scheme = path.toUri().getScheme();
    String place = path.toUri().getPath();
    boolean local = scheme == null || scheme.equals("file");
    return !local ? path.toString() : place.startsWith("/Volumes/") ? place : "file:" + place;
  }

  private static List<Place> some(Place place) {
    return place == null ? List.of() : List.of(place);
  }
}
