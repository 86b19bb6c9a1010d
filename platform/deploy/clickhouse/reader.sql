-- The same reader as in users.d/grafana.xml, for a server whose users are managed in SQL. Replace PROJECT by the
-- project's id, READER by a name for the user, PASSWORD by a new one; run it as an administrator, once for each project.
CREATE SETTINGS PROFILE IF NOT EXISTS streamgauge_reader SETTINGS
  readonly = 2,
  max_execution_time = 30 MIN 1 MAX 60,
  max_memory_usage = 2000000000 MIN 1 MAX 2000000000,
  max_threads = 2 MIN 1 MAX 2,
  max_result_rows = 100000 MIN 1 MAX 100000,
  max_concurrent_queries_for_user = 8 READONLY;
CREATE USER IF NOT EXISTS READER IDENTIFIED WITH sha256_password BY 'PASSWORD'
  DEFAULT DATABASE streamgauge SETTINGS PROFILE 'streamgauge_reader';
-- The policies come before the grants: there is no moment in which everything can be read.
CREATE ROW POLICY IF NOT EXISTS READER ON streamgauge.views USING project = 'PROJECT' TO READER;
CREATE ROW POLICY IF NOT EXISTS READER ON streamgauge.view_events USING project = 'PROJECT' TO READER;
CREATE ROW POLICY IF NOT EXISTS READER ON streamgauge.rejected USING project = 'PROJECT' TO READER;
CREATE ROW POLICY IF NOT EXISTS READER ON streamgauge.playback_5s USING project = 'PROJECT' TO READER;
CREATE ROW POLICY IF NOT EXISTS READER ON streamgauge.delivery_5s USING project = 'PROJECT' TO READER;
CREATE ROW POLICY IF NOT EXISTS READER ON streamgauge.requests USING project = 'PROJECT' TO READER;
CREATE ROW POLICY IF NOT EXISTS READER ON streamgauge.viewers_now USING project = 'PROJECT' TO READER;
GRANT SELECT ON streamgauge.views TO READER;
GRANT SELECT ON streamgauge.view_events TO READER;
GRANT SELECT ON streamgauge.rejected TO READER;
GRANT SELECT ON streamgauge.playback_5s TO READER;
GRANT SELECT ON streamgauge.delivery_5s TO READER;
GRANT SELECT ON streamgauge.requests TO READER;
GRANT SELECT ON streamgauge.viewers_now TO READER;
