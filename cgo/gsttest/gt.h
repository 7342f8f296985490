/* gt: the C half of package gsttest. A GstHarness that can be waited for with a bound, and the leaks tracer. */
#ifndef GT_H
#define GT_H

#include <gst/gst.h>
#include <gst/check/gstharness.h>

typedef struct {
  GstHarness *h;
  GstBus *bus;                  /* the element's messages */
  GMutex lock;
  GCond cond;                   /* something arrived */
  GstPadChainFunction chain;
  GstPadEventFunction down, up; /* the harness's own */
} GtHarness;

/* Takes no reference of element; NULL pad names: no pad on that side. */
GtHarness *gt_harness_new (GstElement * element, const gchar * sink, const gchar * src);
void gt_harness_free (GtHarness * g);

/* What arrived, waiting for it at most us microseconds; NULL where nothing came. The caller owns it. */
GstBuffer *gt_harness_pull (GtHarness * g, gint64 us);
GstEvent *gt_harness_pull_event (GtHarness * g, gint64 us);
GstEvent *gt_harness_pull_upstream_event (GtHarness * g, gint64 us);

/* Asks the element as its neighbour on that side would. */
gboolean gt_harness_query (GtHarness * g, gboolean from_downstream, GstQuery * q);
GstFlowReturn gt_harness_push_list (GtHarness * g, GstBufferList * l);

/* ---- looking at elements ---- */

/* What gst-inspect-1.0 would print of a property; the texts are the caller's. */
typedef struct {
  gchar *name, *blurb, *type, *def, *min, *max;
  guint flags;
} GtProperty;

GtProperty *gt_properties (GstElement * e, guint * n);
void gt_properties_free (GtProperty * p, guint n);

/* Collects what a debug category logs up to a level, each line as "LEVEL text". The text is the caller's. */
typedef struct _GtLog GtLog;
GtLog *gt_log_new (const gchar * category, gint level);
gchar *gt_log_take (GtLog * l);
void gt_log_free (GtLog * l);

/* Bytes that malloc has given out; 0 where the C library does not say. */
guint64 gt_heap_in_use (void);

/* ---- leaks ---- */

GObject *gt_leaks_tracer (void);
gboolean gt_may_be_leaked (const gchar * type, guint64 address);
gchar *gt_describe (guint64 address);

#endif
