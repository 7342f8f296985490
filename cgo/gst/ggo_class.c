/* Classes: a GType for each element that Go describes, on one of four base classes. */
#include "ggo.h"
#include "_cgo_export.h"
#include <string.h>

typedef struct { GstBaseSink base; GgoInstance ggo; } GgoSink;
typedef struct { GstBaseSinkClass base; GgoClass *ggo; } GgoSinkClass;
typedef struct { GstBaseTransform base; GgoInstance ggo; } GgoTransform;
typedef struct { GstBaseTransformClass base; GgoClass *ggo; } GgoTransformClass;
typedef struct { GstPushSrc base; GgoInstance ggo; } GgoSource;
typedef struct { GstPushSrcClass base; GgoClass *ggo; } GgoSourceClass;
typedef struct { GstElement base; GgoInstance ggo; } GgoElement;
typedef struct { GstElementClass base; GgoClass *ggo; } GgoElementClass;

GQuark
ggo_class_quark (void)
{
  return g_quark_from_static_string ("ggo-class");
}

GType
ggo_base_type (GgoKind kind)
{
  switch (kind) {
    case GGO_KIND_SINK: return GST_TYPE_BASE_SINK;
    case GGO_KIND_TRANSFORM: return GST_TYPE_BASE_TRANSFORM;
    case GGO_KIND_SOURCE: return GST_TYPE_PUSH_SRC;
    default: return GST_TYPE_ELEMENT;
  }
}

/* The Go half of an object, which must be one of ours: each kind has it behind its base class. */
GgoInstance *
ggo_instance (gpointer object)
{
  if (GST_IS_BASE_SINK (object))
    return &((GgoSink *) object)->ggo;
  if (GST_IS_BASE_TRANSFORM (object))
    return &((GgoTransform *) object)->ggo;
  if (GST_IS_PUSH_SRC (object))
    return &((GgoSource *) object)->ggo;
  return &((GgoElement *) object)->ggo;
}

gboolean
ggo_poisoned (gpointer object)
{
  return g_atomic_int_get (&ggo_instance (object)->poisoned);
}

/* ---- describing ---- */

GgoClass *
ggo_class_new (GgoKind kind, uintptr_t handle, const gchar * factory, const gchar * long_name,
    const gchar * klass, const gchar * description, const gchar * author, guint rank)
{
  GgoClass *c = g_new0 (GgoClass, 1);
  c->kind = kind;
  c->handle = handle;
  c->factory = g_strdup (factory);
  c->long_name = g_strdup (long_name);
  c->klass = g_strdup (klass);
  c->description = g_strdup (description);
  c->author = g_strdup (author);
  c->rank = rank;
  c->properties = g_array_new (FALSE, TRUE, sizeof (GgoProperty));
  c->templates = g_ptr_array_new ();
  c->signals = g_ptr_array_new ();
  c->uri_type = GST_URI_UNKNOWN;
  c->category = _gst_debug_category_new (c->factory, 0, c->long_name);
  return c;
}

void
ggo_class_add_template (GgoClass * c, const gchar * name, gint direction, gint presence, const gchar * caps)
{
  GstStaticPadTemplate *t = g_new0 (GstStaticPadTemplate, 1);
  t->name_template = g_strdup (name);
  t->direction = direction;
  t->presence = presence;
  t->static_caps.string = g_strdup (caps);
  g_ptr_array_add (c->templates, t);
}

void
ggo_class_add_property (GgoClass * c, const GgoProperty * p)
{
  GgoProperty copy = *p;
  copy.name = g_strdup (p->name);
  copy.nick = g_strdup (p->nick);
  copy.blurb = g_strdup (p->blurb);
  copy.def.str = g_strdup (p->def.str);
  g_array_append_val (c->properties, copy);
}

void
ggo_class_add_signal (GgoClass * c, const GgoSignal * s)
{
  GgoSignal *copy = g_new (GgoSignal, 1);
  *copy = *s;
  copy->name = g_strdup (s->name);
  g_ptr_array_add (c->signals, copy);
}

void
ggo_class_set_uri (GgoClass * c, gint type, const gchar * protocols_by_comma)
{
  c->uri_type = type;
  c->protocols = g_strsplit (protocols_by_comma, ",", -1);
}

GType
ggo_enum_type (const gchar * name, gboolean flags, guint n, gint * values, gchar ** names, gchar ** nicks)
{
  GType t = g_type_from_name (name);
  guint i;

  if (t != 0)
    return t;
  if (flags) {
    GFlagsValue *v = g_new0 (GFlagsValue, n + 1);
    for (i = 0; i < n; i++) {
      v[i].value = (guint) values[i];
      v[i].value_name = g_strdup (names[i]);
      v[i].value_nick = g_strdup (nicks[i]);
    }
    return g_flags_register_static (name, v);
  }
  GEnumValue *v = g_new0 (GEnumValue, n + 1);
  for (i = 0; i < n; i++) {
    v[i].value = values[i];
    v[i].value_name = g_strdup (names[i]);
    v[i].value_nick = g_strdup (nicks[i]);
  }
  return g_enum_register_static (name, v);
}

/* ---- properties ---- */

static GParamSpec *
param_spec (const GgoProperty * p)
{
  GParamFlags f = p->flags | G_PARAM_STATIC_STRINGS;

  switch (p->type) {
    case GGO_STRING: return g_param_spec_string (p->name, p->nick, p->blurb, p->def.str, f);
    case GGO_BOOL: return g_param_spec_boolean (p->name, p->nick, p->blurb, p->def.i != 0, f);
    case GGO_INT: return g_param_spec_int (p->name, p->nick, p->blurb, p->min.i, p->max.i, p->def.i, f);
    case GGO_UINT: return g_param_spec_uint (p->name, p->nick, p->blurb, p->min.u, p->max.u, p->def.u, f);
    case GGO_INT64: return g_param_spec_int64 (p->name, p->nick, p->blurb, p->min.i, p->max.i, p->def.i, f);
    case GGO_UINT64: return g_param_spec_uint64 (p->name, p->nick, p->blurb, p->min.u, p->max.u, p->def.u, f);
    case GGO_DOUBLE: return g_param_spec_double (p->name, p->nick, p->blurb, p->min.d, p->max.d, p->def.d, f);
    case GGO_FRACTION: return gst_param_spec_fraction (p->name, p->nick, p->blurb, p->min.num, p->min.den, p->max.num, p->max.den, p->def.num, p->def.den, f);
    case GGO_ENUM: return g_param_spec_enum (p->name, p->nick, p->blurb, p->gtype, p->def.i, f);
    case GGO_FLAGS: return g_param_spec_flags (p->name, p->nick, p->blurb, p->gtype, p->def.u, f);
    case GGO_STRUCTURE: return g_param_spec_boxed (p->name, p->nick, p->blurb, GST_TYPE_STRUCTURE, f);
    default: return NULL;
  }
}

/* From the beginning of READY to PAUSED, which for a sink lasts until its first buffer, to the end of PAUSED to READY. */
gboolean
ggo_runs (gpointer object)
{
  return GST_STATE (object) > GST_STATE_READY || GST_STATE_NEXT (object) > GST_STATE_READY;
}

static void
set_property (GObject * object, guint id, const GValue * value, GParamSpec * spec)
{
  GgoInstance *g = ggo_instance (object);
  GgoProperty *p = &g_array_index (g->klass->properties, GgoProperty, id - 1);
  GgoValue v;

  /* A change that cannot take effect is said where the person looks, and not taken: a launch line's typing error is not silent. */
  if (!p->playing && ggo_runs (object)) {
    GST_ELEMENT_WARNING (object, LIBRARY, SETTINGS,
        ("Property \"%s\" can be set only in NULL or READY; the new value is not used.", spec->name),
        ("the element is in state %s", gst_element_state_get_name (GST_STATE (object))));
    return;
  }
  ggo_value_from_gvalue (value, &v);
  ggoGoSetProperty (g->handle, id - 1, &v);
}

static void
get_property (GObject * object, guint id, GValue * value, GParamSpec * spec)
{
  GgoInstance *g = ggo_instance (object);
  GgoValue v = { 0 };

  v.type = GGO_NONE;
  ggoGoGetProperty (g->handle, id - 1, &v);
  if (v.type != GGO_NONE)
    ggo_value_to_gvalue (&v, value);
  ggo_value_clear (&v);
}

/* ---- signals ---- */

static void
marshal_action (GClosure * closure, GValue * result, guint n, const GValue * args, gpointer hint, gpointer data)
{
  GgoSignal *s = closure->data;
  GstElement *e = g_value_get_object (&args[0]);
  GgoValue in[8], out = { 0 };
  guint i;

  out.type = GGO_NONE;
  for (i = 0; i + 1 < n && i < 8; i++)
    ggo_value_from_gvalue (&args[i + 1], &in[i]);
  ggoGoAction (ggo_instance (e)->handle, s->name, i, in, &out);
  if (result != NULL && out.type != GGO_NONE)
    ggo_value_to_gvalue (&out, result);
  ggo_value_drop (&out);
}

static void
install_signals (GObjectClass * k, GgoClass * c)
{
  guint i, j;

  for (i = 0; i < c->signals->len; i++) {
    GgoSignal *s = g_ptr_array_index (c->signals, i);
    GClosure *closure = NULL;
    GType params[8];
    GSignalFlags flags = G_SIGNAL_RUN_LAST;

    for (j = 0; j < s->n_params; j++)
      params[j] = ggo_gtype (s->params[j]);
    if (s->action) {
      closure = g_closure_new_simple (sizeof (GClosure), s);
      g_closure_set_marshal (closure, marshal_action);
      flags |= G_SIGNAL_ACTION;
    }
    s->id = g_signal_newv (s->name, G_TYPE_FROM_CLASS (k), flags, closure, NULL, NULL, NULL,
        ggo_gtype (s->result), s->n_params, params);
  }
}

/* ---- life of an instance ---- */

static void
instance_init (GTypeInstance * object, gpointer klass)
{
  GgoInstance *g = ggo_instance (object);
  GType type = G_TYPE_FROM_CLASS (klass);

  g->klass = g_type_get_qdata (type, ggo_class_quark ());
  if (g->klass->kind == GGO_KIND_SINK) {
    /* One pinned frame less of a camera's pool, and no pretence of preroll where there is none. */
    gst_base_sink_set_last_sample_enabled (GST_BASE_SINK (object), FALSE);
    gst_base_sink_set_sync (GST_BASE_SINK (object), g->klass->sync);
  }
  if (g->klass->kind == GGO_KIND_TRANSFORM)
    g->outputs = g_queue_new ();
  if (g->klass->kind == GGO_KIND_SOURCE) {
    gst_base_src_set_live (GST_BASE_SRC (object), g->klass->live);
    gst_base_src_set_format (GST_BASE_SRC (object), GST_FORMAT_TIME);
  }
  g->handle = ggoGoNew (g->klass->handle, object, g);
  if (g->klass->kind == GGO_KIND_TRANSFORM)
    ggo_transform_init (klass, g);
}

static void
finalize (GObject * object)
{
  GgoInstance *g = ggo_instance (object);
  GObjectClass *parent = g->klass->parent;

  if (g->outputs != NULL)
    g_queue_free_full (g->outputs, (GDestroyNotify) gst_mini_object_unref);
  ggoGoFreeInstance (g->handle);
  parent->finalize (object);
}

/* GstElement knows no start and stop, the other base classes call them. */
static GstStateChangeReturn
sink_change_state (GstElement * e, GstElementClass * parent, GstStateChange transition)
{
  GstStateChangeReturn r;

  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    ggo_sink_pausing (e);
  r = parent->change_state (e, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && r != GST_STATE_CHANGE_FAILURE)
    ggo_sink_playing (e);
  return r;
}

static GstStateChangeReturn
plain_change_state (GstElement * e, GgoInstance * g, GstStateChange transition)
{
  GstElementClass *parent = g->klass->parent;
  GstStateChangeReturn r;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && (g->has & GGO_HAS_START) && !ggoGoStart (g->handle))
    return GST_STATE_CHANGE_FAILURE;
  r = parent->change_state (e, transition);
  if (!(g->has & GGO_HAS_STOP))
    return r;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && r == GST_STATE_CHANGE_FAILURE))
    ggoGoStop (g->handle);
  return r;
}

gint
ggo_change_state_parent (GstElement * e, gint transition)
{
  GgoInstance *g = ggo_instance (e);
  GstElementClass *parent = g->klass->parent;

  g->changed = TRUE;
  switch (g->klass->kind) {
    case GGO_KIND_ELEMENT:
      return plain_change_state (e, g, transition);
    case GGO_KIND_SINK:
      return sink_change_state (e, parent, transition);
    default:
      return parent->change_state (e, transition);
  }
}

static GstStateChangeReturn
change_state (GstElement * e, GstStateChange transition)
{
  GgoInstance *g = ggo_instance (e);
  gboolean down = GST_STATE_TRANSITION_NEXT (transition) < GST_STATE_TRANSITION_CURRENT (transition);
  GstStateChangeReturn r;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    g_atomic_int_set (&g->poisoned, FALSE);
  if (!(g->has & GGO_HAS_CHANGE_STATE))
    return ggo_change_state_parent (e, transition);
  g->changed = FALSE;
  r = ggoGoChangeState (g->handle, transition);
  /* A change down cannot fail: an element whose Go half did not get as far as the base class would be freed while it runs. */
  if (down && !g->changed)
    r = ggo_change_state_parent (e, transition);
  return down && r == GST_STATE_CHANGE_FAILURE ? GST_STATE_CHANGE_SUCCESS : r;
}

static gboolean
send_event (GstElement * e, GstEvent * event)
{
  GgoInstance *g = ggo_instance (e);
  GstElementClass *parent = g->klass->parent;

  if (g->has & GGO_HAS_SEND_EVENT)
    return ggoGoEvent (g->handle, 2, event);
  return parent->send_event (e, event);
}

gboolean
ggo_send_event_parent (GstElement * e, GstEvent * event)
{
  GstElementClass *parent = ggo_instance (e)->klass->parent;
  return parent->send_event (e, event);
}

static void
class_init (gpointer klass, gpointer data)
{
  GgoClass *c = data;
  GObjectClass *object = klass;
  GstElementClass *element = klass;
  guint i;

  c->parent = g_type_class_peek_parent (klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  for (i = 0; i < c->properties->len; i++)
    g_object_class_install_property (object, i + 1, param_spec (&g_array_index (c->properties, GgoProperty, i)));
  install_signals (object, c);

  gst_element_class_set_metadata (element, c->long_name, c->klass, c->description, c->author);
  for (i = 0; i < c->templates->len; i++)
    gst_element_class_add_static_pad_template (element, g_ptr_array_index (c->templates, i));
  element->change_state = change_state;
  element->send_event = send_event;

  switch (c->kind) {
    case GGO_KIND_SINK: ggo_sink_class_init (klass, c); break;
    case GGO_KIND_TRANSFORM: ggo_transform_class_init (klass, c); break;
    case GGO_KIND_SOURCE: ggo_source_class_init (klass, c); break;
    default: ggo_element_class_init (klass, c);
  }
}

gboolean
ggo_class_register (GgoClass * c, GstPlugin * plugin, const gchar * type_name)
{
  static const struct { gsize klass, instance; } size[] = {
    {sizeof (GgoSinkClass), sizeof (GgoSink)},
    {sizeof (GgoTransformClass), sizeof (GgoTransform)},
    {sizeof (GgoSourceClass), sizeof (GgoSource)},
    {sizeof (GgoElementClass), sizeof (GgoElement)},
  };
  GTypeInfo info = { 0 };

  info.class_size = size[c->kind].klass;
  info.instance_size = size[c->kind].instance;
  info.class_init = (GClassInitFunc) class_init;
  info.class_data = c;
  info.instance_init = (GInstanceInitFunc) instance_init;
  if (g_type_from_name (type_name) != 0)
    return FALSE;
  c->gtype = g_type_register_static (ggo_base_type (c->kind), type_name, &info, 0);
  if (c->gtype == 0)
    return FALSE;
  g_type_set_qdata (c->gtype, ggo_class_quark (), c);
  if (c->uri_type != GST_URI_UNKNOWN) {
    GInterfaceInfo iface = { ggo_uri_handler_init, NULL, NULL };
    g_type_add_interface_static (c->gtype, GST_TYPE_URI_HANDLER, &iface);
  }
  return gst_element_register (plugin, c->factory, c->rank, c->gtype);
}
