package laketop.engine;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.procedures.BoundProcedure;
import org.apache.spark.sql.connector.catalog.procedures.ProcedureParameter;
import org.apache.spark.sql.connector.catalog.procedures.UnboundProcedure;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** What the parser makes of a statement of ours: Spark runs it once and returns its rows. */
class Procedure implements UnboundProcedure, BoundProcedure {
  /** Returns the statement that calls the procedure with this request. */
  static String call(Map<String, String> request) {
    byte[] json = JsonFiles.text(request).getBytes(StandardCharsets.UTF_8);
    String text = Base64.getEncoder().encodeToString(json);
    return "CALL " + Lake.MAIN + ".laketop.run('" + text + "')";
  }

  @Override
  public Iterator<Scan> call(InternalRow input) {
    byte[] json = Base64.getDecoder().decode(input.getUTF8String(0).toString());
    SparkSession session = Sessions.active();
    Rows rows;
    try {
      rows = run(session, request(json), input);
    } catch (Exception e) {
      throw Lake.sneak(e);
    }
    Catalogs.sync(session, "");
    return rows == null ? Collections.emptyIterator() : List.<Scan>of(rows).iterator();
  }

  @SuppressWarnings("unchecked")
  private static Map<String, String> request(byte[] json) {
    return JsonFiles.parse(new String(json, StandardCharsets.UTF_8), HashMap.class);
  }

  /** Carries a request out; {@code input} is what the procedure was called with. */
  Rows run(SparkSession session, Map<String, String> request, InternalRow input)
      throws Exception {
    return request.containsKey("function")
        ? Functions.run(session, request)
        : Statements.run(session, request.get("sql"));
  }

  @Override
  public String name() {
    return "run";
  }

  @Override
  public BoundProcedure bind(StructType types) {
    return this;
  }

  @Override
  public boolean isDeterministic() {
    return false;
  }

  @Override
  public ProcedureParameter[] parameters() {
    return new ProcedureParameter[] {
      ProcedureParameter.in("request", DataTypes.StringType).build()
    };
  }
}
