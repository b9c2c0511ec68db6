package laketop.engine;

import io.delta.tables.DeltaTable;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connect.planner.SparkConnectPlanner;
import org.apache.spark.sql.connect.plugin.CommandPlugin;

/** What {@code delta.tables.DeltaTable} of a Connect client does without a result. */
public final class DeltaCommands implements CommandPlugin {
  @Override
  public boolean process(byte[] extension, SparkConnectPlanner planner) {
    DeltaMessage command = DeltaMessage.unpack(extension, "DeltaCommand");
    if (command == null) {
      return false;
    }
    int choice = command.choice();
    run(choice, command.message(choice), planner.session());
    return true;
  }

  private static void run(int choice, DeltaMessage sent, SparkSession session) {
    if (choice == 1) {
      copy(sent, session);
      return;
    }
    if (choice == 5) {
      session.sql(DeltaCreation.sql(sent, session));
      return;
    }
    DeltaTable table = DeltaTables.of(sent.message(1), session);
    switch (choice) {
      case 2 -> vacuum(sent, table);
      case 3 -> table.upgradeTableProtocol((int) sent.number(2), (int) sent.number(3));
      case 4 -> table.generate(sent.text(2));
      case 6 -> table.addFeatureSupport(sent.text(2));
      case 7 -> table.dropFeatureSupport(sent.text(2), sent.flag(3));
      default -> throw Refusal.of("UNSUPPORTED_FEATURE",
          "This command of DeltaTable, number " + choice + ", is not supported.");
    }
  }

  private static void vacuum(DeltaMessage sent, DeltaTable table) {
    if (sent.has(2)) {
      table.vacuum(sent.real(2));
    } else {
      table.vacuum();
    }
  }

  /** Runs the SQL of it: Delta's own class takes no name of three parts for the copy. */
  private static void copy(DeltaMessage sent, SparkSession session) {
    String when = sent.has(3)
        ? " VERSION AS OF " + sent.number(3)
        : sent.has(4) ? " TIMESTAMP AS OF " + Sql.literal(sent.text(4)) : "";
    String shallow = (sent.flag(6) ? "CREATE OR REPLACE TABLE " : "CREATE TABLE ") + sent.text(2)
        + " SHALLOW CLONE " + DeltaTables.name(sent.message(1)) + when
        + Sql.properties(sent.map(7));
    if (sent.flag(5)) {
      session.sql(shallow);
    } else {
      DeepClone.make(session, sent.text(2), shallow);
    }
  }
}
