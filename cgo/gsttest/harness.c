/* A GstHarness whose queues can be waited for with a bound: gst_harness_pull waits a minute, gst_harness_try_pull not at all. The
 * harness's own chain and event functions are kept and a condition is signalled behind them. */
#include "gt.h"

static GQuark
harness_quark (void)
{
  return g_quark_from_static_string ("gt-harness");
}

static GtHarness *
harness_of (GstPad * pad)
{
  return g_object_get_qdata (G_OBJECT (pad), harness_quark ());
}

static void
arrived (GtHarness * g)
{
  g_mutex_lock (&g->lock);
  g_cond_broadcast (&g->cond);
  g_mutex_unlock (&g->lock);
}

static GstFlowReturn
chain (GstPad * pad, GstObject * parent, GstBuffer * b)
{
  GtHarness *g = harness_of (pad);
  GstFlowReturn r = g->chain (pad, parent, b);
  arrived (g);
  return r;
}

static gboolean
down (GstPad * pad, GstObject * parent, GstEvent * e)
{
  GtHarness *g = harness_of (pad);
  gboolean ok = g->down (pad, parent, e);
  arrived (g);
  return ok;
}

static gboolean
up (GstPad * pad, GstObject * parent, GstEvent * e)
{
  GtHarness *g = harness_of (pad);
  gboolean ok = g->up (pad, parent, e);
  arrived (g);
  return ok;
}

GtHarness *
gt_harness_new (GstElement * element, const gchar * sink, const gchar * src)
{
  GtHarness *g = g_new0 (GtHarness, 1);

  g_mutex_init (&g->lock);
  g_cond_init (&g->cond);
  g->bus = gst_bus_new ();
  gst_element_set_bus (element, g->bus);
  g->h = gst_harness_new_with_element (element, sink, src);
  if (g->h->sinkpad != NULL) {
    g_object_set_qdata (G_OBJECT (g->h->sinkpad), harness_quark (), g);
    g->chain = GST_PAD_CHAINFUNC (g->h->sinkpad);
    g->down = GST_PAD_EVENTFUNC (g->h->sinkpad);
    gst_pad_set_chain_function (g->h->sinkpad, chain);
    gst_pad_set_event_function (g->h->sinkpad, down);
  }
  if (g->h->srcpad != NULL) {
    g_object_set_qdata (G_OBJECT (g->h->srcpad), harness_quark (), g);
    g->up = GST_PAD_EVENTFUNC (g->h->srcpad);
    gst_pad_set_event_function (g->h->srcpad, up);
  }
  return g;
}

void
gt_harness_free (GtHarness * g)
{
  GstElement *e = gst_object_ref (g->h->element);

  /* Teardown takes the harness's pads away first, and what still pushes needs this struct until the element stands still. */
  gst_element_set_state (e, GST_STATE_NULL);
  gst_harness_teardown (g->h);
  gst_element_set_bus (e, NULL);
  gst_object_unref (e);
  gst_bus_set_flushing (g->bus, TRUE);
  gst_object_unref (g->bus);
  g_mutex_clear (&g->lock);
  g_cond_clear (&g->cond);
  g_free (g);
}

static gpointer
try_event (GstHarness * h)
{
  return gst_harness_try_pull_event (h);
}

static gpointer
try_upstream_event (GstHarness * h)
{
  return gst_harness_try_pull_upstream_event (h);
}

static gpointer
try_buffer (GstHarness * h)
{
  return gst_harness_try_pull (h);
}

static gpointer
pull (GtHarness * g, gint64 us, gpointer (*try_one) (GstHarness *))
{
  gint64 end = g_get_monotonic_time () + us;
  gpointer item;

  g_mutex_lock (&g->lock);
  while ((item = try_one (g->h)) == NULL) {
    if (!g_cond_wait_until (&g->cond, &g->lock, end)) {
      item = try_one (g->h);
      break;
    }
  }
  g_mutex_unlock (&g->lock);
  return item;
}

GstBuffer *
gt_harness_pull (GtHarness * g, gint64 us)
{
  return pull (g, us, try_buffer);
}

GstEvent *
gt_harness_pull_event (GtHarness * g, gint64 us)
{
  return pull (g, us, try_event);
}

GstEvent *
gt_harness_pull_upstream_event (GtHarness * g, gint64 us)
{
  return pull (g, us, try_upstream_event);
}

gboolean
gt_harness_query (GtHarness * g, gboolean from_downstream, GstQuery * q)
{
  GstPad *pad = from_downstream ? g->h->sinkpad : g->h->srcpad;
  return pad != NULL && gst_pad_peer_query (pad, q);
}

GstFlowReturn
gt_harness_push_list (GtHarness * g, GstBufferList * l)
{
  return gst_pad_push_list (g->h->srcpad, l);
}
