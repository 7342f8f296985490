/* cycles N LINE
 *
 * Makes, plays and drops the pipeline N times, each in one of several ways, and says what the process holds after a tenth of them and at the end. */
#include "host.h"

static void
usage (int cycle)
{
  FILE *f = fopen ("/proc/self/status", "r");
  char line[256];
  long rss = 0, threads = 0;
  while (fgets (line, sizeof line, f)) {
    sscanf (line, "VmRSS: %ld", &rss);
    sscanf (line, "Threads: %ld", &threads);
  }
  fclose (f);
  printf ("usage after %d: rss %ld threads %ld\n", cycle, rss, threads);
}

static void
cycle (const char *line, int i)
{
  GstElement *p = parse (line);
  switch (i % 4) {
    case 0:                    /* never started */
      gst_object_unref (p);
      return;
    case 1:                    /* to the end */
      play (p);
      finish (p);
      return;
    case 2:                    /* while records flow */
      play (p);
      await_delivered (p, 1);
      break;
    case 3:                    /* in the middle of the change of state */
      play (p);
      break;
  }
  gst_element_set_state (p, GST_STATE_NULL);
  gst_object_unref (p);
}

int
main (int argc, char **argv)
{
  int i, n = atoi (argv[1]);
  gst_init (NULL, NULL);
  for (i = 1; i <= n; i++) {
    cycle (argv[2], i);
    if (i == n / 10 || i == n)
      usage (i);
  }
  gst_deinit ();
  printf ("done\n");
  return 0;
}
