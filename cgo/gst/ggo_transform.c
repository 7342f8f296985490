/* Transforms on GstBaseTransform, in three modes: in place, into an output buffer of another size, and "generate", in which Go
 * makes any number of outputs from one input: the input itself, buffers that share its memory, or new ones. */
#include "ggo.h"
#include "_cgo_export.h"

#define PARENT(e) ((GstBaseTransformClass *) ggo_instance (e)->klass->parent)
#define POISONED(g) g_atomic_int_get (&(g)->poisoned)

static gboolean
start (GstBaseTransform * t)
{
  GgoInstance *g = ggo_instance (t);
  return !(g->has & GGO_HAS_START) || ggoGoStart (g->handle);
}

static void
drop_outputs (GgoInstance * g)
{
  gpointer b;
  while ((b = g_queue_pop_head (g->outputs)) != NULL)
    gst_mini_object_unref (b);
}

static gboolean
stop (GstBaseTransform * t)
{
  GgoInstance *g = ggo_instance (t);
  drop_outputs (g);
  return !(g->has & GGO_HAS_STOP) || ggoGoStop (g->handle);
}

static GstFlowReturn
transform_ip (GstBaseTransform * t, GstBuffer * b)
{
  GgoInstance *g = ggo_instance (t);
  GgoView v;
  GstFlowReturn r;

  if (POISONED (g))
    return GST_FLOW_ERROR;
  ggo_view_init (&v, b, &t->segment);
  r = ggoGoTransform (g->handle, &v, NULL);
  ggo_view_unmap (&v);
  return r;
}

static GstFlowReturn
transform (GstBaseTransform * t, GstBuffer * in, GstBuffer * out)
{
  GgoInstance *g = ggo_instance (t);
  GgoView vi, vo;
  GstFlowReturn r = GST_FLOW_ERROR;

  ggo_view_init (&vi, in, &t->segment);
  ggo_view_init (&vo, out, &t->segment);
  if (POISONED (g))
    r = GST_FLOW_ERROR;
  else if (ggo_view_map (&vi, GST_MAP_READ) && ggo_view_map (&vo, GST_MAP_READWRITE))
    r = ggoGoTransform (g->handle, &vi, &vo);
  else
    GST_ELEMENT_ERROR (t, RESOURCE, READ, ("A buffer's memory cannot be mapped."), ("gst_buffer_map_range failed"));
  ggo_view_unmap (&vi);
  ggo_view_unmap (&vo);
  /* Go says by vo.size how much of the buffer it filled. */
  if (r == GST_FLOW_OK && vo.size < gst_buffer_get_size (out))
    gst_buffer_set_size (out, vo.size);
  return r;
}

static gboolean
transform_size (GstBaseTransform * t, GstPadDirection direction, GstCaps * caps, gsize size, GstCaps * other, gsize * other_size)
{
  return ggoGoTransformSize (ggo_instance (t)->handle, direction, size, other_size);
}

/* Any caps may stand on the other side, so no unit of size exists. */
static gboolean
get_unit_size (GstBaseTransform * t, GstCaps * caps, gsize * size)
{
  *size = 1;
  return TRUE;
}

static GstFlowReturn
generate_output (GstBaseTransform * t, GstBuffer ** out)
{
  GgoInstance *g = ggo_instance (t);
  GstBuffer *in = t->queued_buf;
  GstFlowReturn r = GST_FLOW_OK;

  if (in != NULL) {
    GgoView v;
    t->queued_buf = NULL;
    drop_outputs (g);           /* what downstream refused of the last input */
    ggo_view_init (&v, in, &t->segment);
    r = POISONED (g) ? GST_FLOW_ERROR : ggoGoTransform (g->handle, &v, NULL);
    ggo_view_unmap (&v);
    gst_buffer_unref (in);
    if (r != GST_FLOW_OK)
      drop_outputs (g);
  }
  *out = g_queue_pop_head (g->outputs);
  return r;
}

static GstCaps *
transform_caps (GstBaseTransform * t, GstPadDirection direction, GstCaps * caps, GstCaps * filter)
{
  GgoInstance *g = ggo_instance (t);
  GstCaps *r, *x;

  if (!(g->has & GGO_HAS_TRANSFORM_CAPS))
    return PARENT (t)->transform_caps (t, direction, caps, filter);
  r = ggoGoTransformCaps (g->handle, direction, caps);
  if (r == NULL)
    r = gst_caps_new_empty ();
  if (filter == NULL)
    return r;
  x = gst_caps_intersect_full (filter, r, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (r);
  return x;
}

static GstCaps *
fixate_caps (GstBaseTransform * t, GstPadDirection direction, GstCaps * caps, GstCaps * other)
{
  GgoInstance *g = ggo_instance (t);
  if (g->has & GGO_HAS_FIXATE_CAPS) {
    /* A panic may come before or after Go gave other away: the reference kept here is what is fixated then. */
    GstCaps *chosen = ggoGoFixateCaps (g->handle, direction, caps, gst_caps_ref (other));
    if (chosen != NULL) {
      gst_caps_unref (other);
      other = chosen;
    }
  }
  return PARENT (t)->fixate_caps (t, direction, caps, other);
}

static gboolean
set_caps (GstBaseTransform * t, GstCaps * in, GstCaps * out)
{
  return ggoGoSetCaps (ggo_instance (t)->handle, in, out);
}

static gboolean
sink_event (GstBaseTransform * t, GstEvent * e)
{
  GgoInstance *g = ggo_instance (t);
  if (GST_EVENT_TYPE (e) == GST_EVENT_FLUSH_STOP)
    drop_outputs (g);
  if (g->has & GGO_HAS_EVENT)
    return ggoGoEvent (g->handle, 0, e);
  return PARENT (t)->sink_event (t, e);
}

static gboolean
src_event (GstBaseTransform * t, GstEvent * e)
{
  GgoInstance *g = ggo_instance (t);
  if (g->has & GGO_HAS_SRC_EVENT)
    return ggoGoEvent (g->handle, 1, e);
  return PARENT (t)->src_event (t, e);
}

gboolean
ggo_transform_event_parent (GstElement * e, gboolean src, GstEvent * event)
{
  if (src)
    return PARENT (e)->src_event (GST_BASE_TRANSFORM (e), event);
  return PARENT (e)->sink_event (GST_BASE_TRANSFORM (e), event);
}

static gboolean
query (GstBaseTransform * t, GstPadDirection direction, GstQuery * q)
{
  GgoInstance *g = ggo_instance (t);
  if (g->has & GGO_HAS_QUERY)
    return ggoGoQuery (g->handle, direction, q);
  return PARENT (t)->query (t, direction, q);
}

gboolean
ggo_transform_query_parent (GstElement * e, gint direction, GstQuery * query)
{
  return PARENT (e)->query (GST_BASE_TRANSFORM (e), direction, query);
}

static gboolean
propose_allocation (GstBaseTransform * t, GstQuery * decide, GstQuery * q)
{
  GgoClass *c = ggo_instance (t)->klass;

  if (c->forward_allocation)
    return gst_pad_peer_query (GST_BASE_TRANSFORM_SRC_PAD (t), q);
  /* The base class takes this mode for passthrough and would ask downstream, which speaks of other caps. */
  if (c->mode == GGO_MODE_GENERATE)
    return FALSE;
  return PARENT (t)->propose_allocation (t, decide, q);
}

static gboolean
transform_meta (GstBaseTransform * t, GstBuffer * out, GstMeta * meta, GstBuffer * in)
{
  GgoInstance *g = ggo_instance (t);
  if (g->has & GGO_HAS_TRANSFORM_META)
    return ggoGoTransformMeta (g->handle, (gchar *) g_type_name (meta->info->api));
  return PARENT (t)->transform_meta (t, out, meta, in);
}

/* The base class refuses data without caps where there is a set_caps; so there is one only if the Go half, the same for all instances, has it. */
void
ggo_transform_init (gpointer klass, GgoInstance * g)
{
  if (g->has & GGO_HAS_SET_CAPS)
    g_atomic_pointer_set (&((GstBaseTransformClass *) klass)->set_caps, set_caps);
}

void
ggo_transform_class_init (GstBaseTransformClass * k, GgoClass * c)
{
  k->start = start;
  k->stop = stop;
  k->transform_caps = transform_caps;
  k->fixate_caps = fixate_caps;
  k->sink_event = sink_event;
  k->src_event = src_event;
  k->query = query;
  k->propose_allocation = propose_allocation;
  k->transform_meta = transform_meta;
  switch (c->mode) {
    case GGO_MODE_IN_PLACE:
      k->transform_ip = transform_ip;
      break;
    case GGO_MODE_RESIZE:
      k->transform = transform;
      k->transform_size = transform_size;
      k->get_unit_size = get_unit_size;
      break;
    case GGO_MODE_GENERATE:
      k->generate_output = generate_output;
      k->passthrough_on_same_caps = FALSE;
      break;
  }
}

GQueue *
ggo_outputs (GstElement * e)
{
  return ggo_instance (e)->outputs;
}
