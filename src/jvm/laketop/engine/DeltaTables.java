package laketop.engine;

import io.delta.tables.DeltaTable;
import org.apache.spark.connect.proto.Relation;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.ExpressionUtils;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connect.common.DataTypeProtoConverter;
import org.apache.spark.sql.connect.planner.SparkConnectPlanner;
import org.apache.spark.sql.types.DataType;
import org.sparkproject.connect.protobuf.ByteString;
import org.sparkproject.connect.protobuf.InvalidProtocolBufferException;

/** The tables, plans and expressions inside messages of Delta's Connect client. */
final class DeltaTables {
  private DeltaTables() {}

  /** Returns the table that a message {@code delta.connect.DeltaTable} names. */
  static DeltaTable of(DeltaMessage table, SparkSession session) {
    if (table.has(2)) {
      return DeltaTable.forName(session, table.text(2));
    }
    DeltaMessage path = table.message(1);
    return DeltaTable.forPath(session, path.text(1), path.map(2));
  }

  /** Returns the table's name or path as SQL spells it. */
  static String name(DeltaMessage table) {
    return table.has(2) ? table.text(2) : "delta.`" + table.message(1).text(1) + "`";
  }

  /** Returns the table that a plan scans, under the plan's alias where it has one. */
  static DeltaTable target(ByteString bytes, SparkSession session) {
    Relation relation = parsed(bytes);
    if (relation.hasSubqueryAlias()) {
      ByteString input = relation.getSubqueryAlias().getInput().toByteString();
      return target(input, session).as(relation.getSubqueryAlias().getAlias());
    }
    DeltaMessage scan =
        DeltaMessage.unpack(relation.getExtension().toByteArray(), "DeltaRelation");
    if (scan == null || !scan.has(1)) {
      throw Refusal.of("DELTA_UNSUPPORTED_SOURCE", "The target of a merge is no Delta table.");
    }
    return of(scan.message(1).message(1), session);
  }

  static LogicalPlan relation(ByteString bytes, SparkConnectPlanner planner) {
    return planner.transformRelation(parsed(bytes));
  }

  private static Relation parsed(ByteString bytes) {
    try {
      return Relation.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw Lake.sneak(e);
    }
  }

  static Expression expression(ByteString bytes, SparkConnectPlanner planner) {
    try {
      return planner.transformExpression(
          org.apache.spark.connect.proto.Expression.parseFrom(bytes));
    } catch (InvalidProtocolBufferException e) {
      throw Lake.sneak(e);
    }
  }

  static Column column(ByteString bytes, SparkConnectPlanner planner) {
    return ExpressionUtils.column(expression(bytes, planner));
  }

  /** Returns a type, which a client may also send as the text that its user wrote. */
  static DataType type(ByteString bytes, SparkSession session) {
    try {
      var type = org.apache.spark.connect.proto.DataType.parseFrom(bytes);
      return type.hasUnparsed()
          ? session.sessionState().sqlParser().parseDataType(
              type.getUnparsed().getDataTypeString())
          : DataTypeProtoConverter.toCatalystType(type);
    } catch (InvalidProtocolBufferException | ParseException e) {
      throw Lake.sneak(e);
    }
  }
}
