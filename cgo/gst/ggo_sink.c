/* Sinks on GstBaseSink. */
#include "ggo.h"
#include "_cgo_export.h"

#define PARENT(e) ((GstBaseSinkClass *) ggo_instance (e)->klass->parent)

/* Buffers that come closer to each other come fast. */
#define FAST 1000               /* us */

/* Where buffers come fast, and the goroutine has none, the buffer goes to Go at once; FALSE where it did not. */
static gboolean
try_render (GstBaseSink * s, GgoInstance * g, GstBuffer * b, GstFlowReturn * r)
{
  GgoInbox *in = g->inbox;
  gint64 now = g_get_monotonic_time ();
  gboolean fast = now - in->last < FAST, done;
  GgoView *v;

  in->last = now;
  if (!fast || !(g->has & GGO_HAS_TRY_RENDER) || !ggo_inbox_is_settled (in) || g_atomic_int_get (&in->flow) != GST_FLOW_OK)
    return FALSE;
  ggo_inbox_give_back (in);
  v = ggo_inbox_prepare (in, NULL, &s->segment, b);
  if (v->mapped == 0)
    return FALSE;
  *r = ggoGoTryRender (g->handle, v, &done);
  ggo_view_unmap (v);
  return done;
}

/* Gives the buffer to the goroutine. Where the inbox is full the sink waits as ggo_sink_wait_preroll says, and is asked only then: what unlock interrupts
 * before the count of interrupts is taken, that one sees. */
static GstFlowReturn
render_inbox (GstBaseSink * s, GgoInstance * g, GstBuffer * b)
{
  GgoInbox *in = g->inbox;
  GstFlowReturn r = GST_FLOW_OK;
  gint interrupts;

  GST_BASE_SINK_PREROLL_UNLOCK (s);
  if (try_render (s, g, b, &r)) {
    GST_BASE_SINK_PREROLL_LOCK (s);
    return r;
  }
  do {
    interrupts = g_atomic_int_get (&in->interrupts);
    r = ggo_inbox_is_full (in) ? ggo_sink_wait_preroll (GST_ELEMENT (s), b) : GST_FLOW_OK;
    if (r == GST_FLOW_OK)
      r = ggo_inbox_push (in, NULL, &s->segment, gst_buffer_ref (b), interrupts);
  } while (r == GGO_FLOW_INTERRUPTED);
  while (r == GST_FLOW_OK && (r = ggo_inbox_await (in, interrupts)) == GGO_FLOW_INTERRUPTED) {
    interrupts = g_atomic_int_get (&in->interrupts);
    r = ggo_sink_wait_preroll (GST_ELEMENT (s), b);
    if (ggo_inbox_is_settled (in))
      break;
  }
  GST_BASE_SINK_PREROLL_LOCK (s);
  return r;
}

static GstFlowReturn
render_one (GstBaseSink * s, GgoInstance * g, GstBuffer * b)
{
  GgoView v;
  GstFlowReturn r;

  if (g_atomic_int_get (&g->poisoned))
    return GST_FLOW_ERROR;
  if (g->inbox != NULL)
    return render_inbox (s, g, b);
  ggo_view_init (&v, b, &s->segment);
  if (!ggo_view_map (&v, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (s, RESOURCE, READ, ("A buffer's memory cannot be read."), ("gst_memory_map failed"));
    return GST_FLOW_ERROR;
  }
  /* Without the preroll lock, as when the base class waits for the clock: a Render that blocks must not block changes of state. */
  GST_BASE_SINK_PREROLL_UNLOCK (s);
  r = ggoGoRender (g->handle, &v);
  GST_BASE_SINK_PREROLL_LOCK (s);
  ggo_view_unmap (&v);
  return r;
}

static GstFlowReturn
render (GstBaseSink * s, GstBuffer * b)
{
  return render_one (s, ggo_instance (s), b);
}

static GstFlowReturn
render_list (GstBaseSink * s, GstBufferList * l)
{
  GgoInstance *g = ggo_instance (s);
  guint i, n = gst_buffer_list_length (l);
  GstFlowReturn r = GST_FLOW_OK;

  for (i = 0; i < n && r == GST_FLOW_OK; i++)
    r = render_one (s, g, gst_buffer_list_get (l, i));
  return r;
}

static gboolean
start (GstBaseSink * s)
{
  GgoInstance *g = ggo_instance (s);
  return !(g->has & GGO_HAS_START) || ggoGoStart (g->handle);
}

static gboolean
stop (GstBaseSink * s)
{
  GgoInstance *g = ggo_instance (s);
  return !(g->has & GGO_HAS_STOP) || ggoGoStop (g->handle);
}

static gboolean
unlock (GstBaseSink * s)
{
  GgoInstance *g = ggo_instance (s);
  if (g->inbox != NULL)
    ggo_inbox_interrupt (g->inbox);
  if (g->has & GGO_HAS_UNLOCK)
    ggoGoUnlock (g->handle, TRUE);
  return TRUE;
}

static gboolean
unlock_stop (GstBaseSink * s)
{
  GgoInstance *g = ggo_instance (s);
  if (g->has & GGO_HAS_UNLOCK)
    ggoGoUnlock (g->handle, FALSE);
  return TRUE;
}

static GstCaps *
get_caps (GstBaseSink * s, GstCaps * filter)
{
  GgoInstance *g = ggo_instance (s);
  GstCaps *caps = (g->has & GGO_HAS_CAPS) ? ggoGoCaps (g->handle) : NULL;
  GstCaps *x;

  if (caps == NULL)
    return PARENT (s)->get_caps (s, filter);
  if (filter == NULL)
    return caps;
  x = gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (caps);
  return x;
}

static gboolean
set_caps (GstBaseSink * s, GstCaps * caps)
{
  GgoInstance *g = ggo_instance (s);
  return !(g->has & GGO_HAS_SET_CAPS) || ggoGoSetCaps (g->handle, caps, NULL);
}

/* Whether the base class holds the preroll lock while it handles an event. */
static gboolean
event_is_locked (GstEvent * e)
{
  return GST_EVENT_IS_SERIALIZED (e) && GST_EVENT_TYPE (e) != GST_EVENT_FLUSH_STOP;
}

/* Without the preroll lock, as render is: PAUSED to PLAYING takes it without calling unlock first, and would wait for a drain in Go's EOS. */
static gboolean
event (GstBaseSink * s, GstEvent * e)
{
  GgoInstance *g = ggo_instance (s);
  gboolean locked = event_is_locked (e), ok;

  if (!(g->has & GGO_HAS_EVENT) && g->inbox == NULL)
    return PARENT (s)->event (s, e);
  if (locked)
    GST_BASE_SINK_PREROLL_UNLOCK (s);
  if (g->inbox != NULL && GST_EVENT_IS_SERIALIZED (e))
    ggo_inbox_settle (g->inbox, -1);
  ok = (g->has & GGO_HAS_EVENT) ? ggoGoEvent (g->handle, 0, e) : ggo_sink_event_parent (GST_ELEMENT (s), e);
  if (locked)
    GST_BASE_SINK_PREROLL_LOCK (s);
  return ok;
}

/* What the base class wants locked for the event; called by Go from within event. */
gboolean
ggo_sink_event_parent (GstElement * e, GstEvent * event)
{
  GstBaseSink *s = GST_BASE_SINK (e);
  gboolean locked = event_is_locked (event), ok;

  if (locked)
    GST_BASE_SINK_PREROLL_LOCK (s);
  ok = PARENT (e)->event (s, event);
  if (locked)
    GST_BASE_SINK_PREROLL_UNLOCK (s);
  return ok;
}

static gboolean
query (GstBaseSink * s, GstQuery * q)
{
  GgoInstance *g = ggo_instance (s);
  if (g->inbox != NULL)
    ggo_inbox_query (g->inbox, q);
  if (g->has & GGO_HAS_QUERY)
    return ggoGoQuery (g->handle, 0, q);
  return PARENT (s)->query (s, q);
}

gboolean
ggo_sink_query_parent (GstElement * e, GstQuery * query)
{
  return PARENT (e)->query (GST_BASE_SINK (e), query);
}

GstStructure *
ggo_sink_stats (GstElement * e)
{
  return gst_base_sink_get_stats (GST_BASE_SINK (e));
}

/* What a Render does whose waiting was ended by unlock: commits the state where one is pending, and waits for PLAYING.
 *
 * A wait ends when PLAYING is reached, but by the time this thread runs the sink may be in PAUSED once more, with the unlock of that change undone
 * already; the base class then takes it for prerolled and need_preroll is FALSE. So "playing" is kept by change_state below: it is FALSE
 * from before a pause begins until PLAYING is complete. */
GstFlowReturn
ggo_sink_wait_preroll (GstElement * e, GstBuffer * b)
{
  GstBaseSink *s = GST_BASE_SINK (e);
  GgoInstance *g = ggo_instance (e);
  GstFlowReturn r = GST_FLOW_OK;

  GST_BASE_SINK_PREROLL_LOCK (s);
  for (;;) {
    if (s->flushing)
      r = GST_FLOW_FLUSHING;
    else if (s->need_preroll)
      r = gst_base_sink_do_preroll (s, GST_MINI_OBJECT_CAST (b));
    else if (!g_atomic_int_get (&g->playing))
      r = gst_base_sink_wait_preroll (s);
    else
      break;
    if (r != GST_FLOW_OK)
      break;
  }
  GST_BASE_SINK_PREROLL_UNLOCK (s);
  return r;
}

/* Around the base class's change of state. */
void
ggo_sink_pausing (GstElement * e)
{
  g_atomic_int_set (&ggo_instance (e)->playing, FALSE);
}

void
ggo_sink_playing (GstElement * e)
{
  GstBaseSink *s = GST_BASE_SINK (e);

  GST_BASE_SINK_PREROLL_LOCK (s);
  g_atomic_int_set (&ggo_instance (e)->playing, TRUE);
  GST_BASE_SINK_PREROLL_SIGNAL (s);
  GST_BASE_SINK_PREROLL_UNLOCK (s);
}

/* Whether what feeds the sink is live, by a LATENCY query upstream. */
gboolean
ggo_element_upstream_live (GstElement * e, gboolean * known)
{
  GstPad *pad = gst_element_get_static_pad (e, "sink");
  GstQuery *q = gst_query_new_latency ();
  gboolean live = FALSE;

  *known = pad != NULL && gst_pad_peer_query (pad, q);
  if (*known)
    gst_query_parse_latency (q, &live, NULL, NULL);
  gst_query_unref (q);
  if (pad != NULL)
    gst_object_unref (pad);
  return live;
}

void
ggo_sink_class_init (GstBaseSinkClass * k, GgoClass * c)
{
  k->render = render;
  if (c->lists)
    k->render_list = render_list;
  k->start = start;
  k->stop = stop;
  k->unlock = unlock;
  k->unlock_stop = unlock_stop;
  k->get_caps = get_caps;
  k->set_caps = set_caps;
  k->event = event;
  k->query = query;
}
