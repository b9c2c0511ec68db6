package laketop.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.sql.catalyst.plans.logical.Call;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd;
import org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Writes the lineage of each statement of a client that has succeeded into the journal.
 *
 * <p>In the thread of Spark's listeners, so that no statement waits for it; whatever goes wrong
 * here is logged and ends here.
 */
public final class LineageListener extends SparkListener {
  private static final Logger LOG = LoggerFactory.getLogger(LineageListener.class);
  private static final int MOST = 10_000;
  private static final int MOST_INNER = 50;
  private static final Pattern CLIENT = Pattern.compile(
      "SparkConnect_OperationTag_User_(?<user>.*)_Session_(?<session>[0-9a-f-]{36})"
          + "_Operation_(?<operation>[0-9a-f-]{36})");
  private static final Pattern CALLER =
      Pattern.compile("SparkConnect_SessionTag_.*_Tag_laketop:(?<caller>.*)");

  private final Map<Long, Running> running = new LinkedHashMap<>() {
    @Override
    protected boolean removeEldestEntry(Map.Entry<Long, Running> eldest) {
      return size() > MOST; // whose end was lost
    }
  };

  /**
   * A statement on its way; {@code caller} is what it says itself of on whose behalf it is, or
   * null, {@code inner} are those that it runs itself.
   */
  private record Running(long root, Matcher client, String caller, List<QueryExecution> inner) {}

  @Override
  public void onOtherEvent(SparkListenerEvent event) {
    try {
      if (event instanceof SparkListenerSQLExecutionStart start) {
        begin(start);
      } else if (event instanceof SparkListenerSQLExecutionEnd end) {
        end(end);
      }
    } catch (Exception | LinkageError | StackOverflowError e) {
      LOG.warn("the lineage of a statement was not written", e);
    }
  }

  private void begin(SparkListenerSQLExecutionStart start) {
    Object root = start.rootExecutionId().getOrElse(start::executionId);
    Running begun = begun(((Number) root).longValue(), start.jobTags());
    if (begun != null) {
      running.put(start.executionId(), begun);
    }
  }

  /** Returns the statement of a client, as Connect has tagged it, or null for another. */
  private static Running begun(long root, scala.collection.Set<String> tags) {
    Matcher client = null;
    String caller = null;
    for (String tag : CollectionConverters.asJava(tags)) {
      Matcher found = CLIENT.matcher(tag);
      Matcher told = CALLER.matcher(tag);
      if (found.matches()) {
        client = found;
      } else if (told.matches()) {
        caller = told.group("caller");
      }
    }
    return client == null ? null : new Running(root, client, caller, new ArrayList<>());
  }

  /** Writes what the running statement has done that Spark has carried out as none of its own. */
  static void tell(SparkSession session, LogicalPlan plan) {
    try {
      Running statement = begun(0, session.sparkContext().getJobTags());
      if (statement != null) {
        write(plan, statement, System.currentTimeMillis());
      }
    } catch (RuntimeException | LinkageError | StackOverflowError e) {
      LOG.warn("the lineage of a statement was not written", e);
    }
  }

  private void end(SparkListenerSQLExecutionEnd end) {
    Running statement = running.remove(end.executionId());
    QueryExecution execution = end.qe();
    if (statement == null || execution == null || end.executionFailure().isDefined()) {
      return;
    }
    Running root = running.get(statement.root());
    if (statement.root() != end.executionId() && root != null) {
      if (root.inner().size() < MOST_INNER) {
        root.inner().add(execution);
      }
      return;
    }
    LogicalPlan plan = execution.analyzed();
    write(plan, statement, end.time());
    if (plan instanceof Call) { // a statement of ours, which writes by statements of Spark's
      statement.inner().forEach(inner -> {
        if (Lineage.of(inner.analyzed()).writes()) {
          write(inner.analyzed(), statement, end.time());
        }
      });
    }
  }

  private static void write(LogicalPlan plan, Running statement, long atMs) {
    Lineage lineage = Lineage.of(plan);
    if (lineage.isEmpty()) {
      return;
    }
    Matcher client = statement.client();
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("time", atMs);
    line.put("user", client.group("user"));
    line.put("operation", client.group("operation"));
    String ofSession = Callers.of(client.group("user"), client.group("session"));
    line.put("caller", statement.caller() == null ? ofSession : statement.caller());
    line.putAll(lineage.told());
    LineageJournal.append(line);
  }
}
