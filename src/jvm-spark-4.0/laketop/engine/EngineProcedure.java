package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.procedures.ProcedureParameter;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The procedure with the values of a statement's parameters behind its request, and with the
 * statements about views.
 */
final class EngineProcedure extends Procedure {
  /** The key of a request that holds a statement which Spark's own grammar has. */
  static final String SPARKS = "spark";

  /** The key of a request that holds a statement which adds a key to a table. */
  static final String KEY = "key";

  /** What it is called with. */
  private final StructType types;

  EngineProcedure(StructType types) {
    this.types = types;
  }

  @Override
  public ProcedureParameter[] parameters() {
    List<ProcedureParameter> all = new ArrayList<>(List.of(super.parameters()));
    for (int i = 1; i < types.length(); i++) {
      all.add(ProcedureParameter.in("value" + i, type(i)).build());
    }
    return all.toArray(ProcedureParameter[]::new);
  }

  private DataType type(int place) {
    DataType type = types.fields()[place].dataType();
    return type.equals(DataTypes.NullType) ? DataTypes.StringType : type;
  }

  @Override
  Rows run(SparkSession session, Map<String, String> request, InternalRow input)
      throws Exception {
    if (request.containsKey(SPARKS)) {
      LakeParser parser = (LakeParser) session.sessionState().sqlParser();
      return ViewPlans.run(session, parser.plain(request.get(SPARKS)));
    }
    if (request.containsKey(LikeTable.KEY)) {
      LikeTable.of(request.get(LikeTable.KEY)).create(session);
      return null;
    }
    if (request.containsKey(KEY)) {
      Constraints.forget();
      var added = KeyClauses.added(Constraints.withoutTimeseries(request.get(KEY)));
      String[] name = Names.full(session, added.getKey());
      Identifier id = Identifier.of(new String[] {name[1]}, name[2]);
      LakeCatalog catalog = TableStatements.catalog(session, name);
      Access.table("MODIFY", name[0], id);
      catalog.loadTable(id);
      Constraints.add(catalog.constraints(id), added.getValue());
      return null;
    }
    if (types.length() > 1) {
      List<Expression> values = IntStream.range(1, types.length())
          .<Expression>mapToObj(i -> new Literal(input.get(i, type(i)), type(i)))
          .toList();
      request.put("sql", Sql.named(Markers.filled(request.get("sql"), values)));
    }
    return super.run(session, request, input);
  }
}
