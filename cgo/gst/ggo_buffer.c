/* Buffers: the flattened view, sharing of memory, reference timestamps, delivery tokens. */
#include "ggo.h"
#include "_cgo_export.h"
#include <string.h>

/* ---- view ---- */

static gint
reference_kind (const GstCaps * caps)
{
  const gchar *name = gst_structure_get_name (gst_caps_get_structure (caps, 0));

  if (g_strcmp0 (name, "timestamp/x-ntp") == 0)
    return GGO_REFERENCE_NTP;
  if (g_strcmp0 (name, "timestamp/x-unix") == 0)
    return GGO_REFERENCE_UNIX;
  return GGO_REFERENCE_NONE;
}

/* The first reference timestamp whose epoch we know. */
gint
ggo_buffer_reference_time (GstBuffer * b, guint64 * ns)
{
  gpointer state = NULL;
  GstMeta *m;

  while ((m = gst_buffer_iterate_meta_filtered (b, &state, GST_REFERENCE_TIMESTAMP_META_API_TYPE)) != NULL) {
    GstReferenceTimestampMeta *r = (GstReferenceTimestampMeta *) m;
    gint kind = reference_kind (r->reference);
    if (kind != GGO_REFERENCE_NONE && GST_CLOCK_TIME_IS_VALID (r->timestamp)) {
      *ns = r->timestamp;
      return kind;
    }
  }
  *ns = GST_CLOCK_TIME_NONE;
  return GGO_REFERENCE_NONE;
}

void
ggo_buffer_add_reference_time (GstBuffer * b, const gchar * caps, guint64 ns)
{
  GstCaps *c = gst_caps_from_string (caps);
  gst_buffer_add_reference_timestamp_meta (b, c, ns, GST_CLOCK_TIME_NONE);
  gst_caps_unref (c);
}

void
ggo_view_init (GgoView * v, GstBuffer * b, const GstSegment * segment)
{
  guint64 t = GST_BUFFER_PTS_IS_VALID (b) ? GST_BUFFER_PTS (b) : GST_BUFFER_DTS (b);

  v->buffer = b;
  v->pts = GST_BUFFER_PTS (b);
  v->dts = GST_BUFFER_DTS (b);
  v->duration = GST_BUFFER_DURATION (b);
  v->offset = GST_BUFFER_OFFSET (b);
  v->offset_end = GST_BUFFER_OFFSET_END (b);
  v->flags = GST_BUFFER_FLAGS (b);
  v->running_time = GST_CLOCK_TIME_NONE;
  if (segment != NULL && segment->format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID (t))
    v->running_time = gst_segment_to_running_time (segment, GST_FORMAT_TIME, t);
  v->n_memory = gst_buffer_n_memory (b);
  v->size = gst_buffer_get_size (b);
  v->mapped = 0;
  v->reference = ggo_buffer_reference_time (b, &v->reference_time);
  v->token = ggo_buffer_token (b);
}

/* Maps memory by memory: mapping the buffer would merge several into a copy. A memory that somebody else reads too is copied before it is
 * written, by gst_buffer_map_range. */
gboolean
ggo_view_map (GgoView * v, gint flags)
{
  guint i;

  if (v->mapped != 0 && (v->mapped & flags) == flags)
    return TRUE;
  if ((flags & GST_MAP_WRITE) && !gst_buffer_is_writable (v->buffer))
    return FALSE;
  ggo_view_unmap (v);
  for (i = 0; i < v->n_memory; i++) {
    if (!gst_buffer_map_range (v->buffer, i, 1, &v->maps[i], flags)) {
      while (i-- > 0)
        gst_buffer_unmap (v->buffer, &v->maps[i]);
      return FALSE;
    }
    v->memory[i].data = v->maps[i].data;
    v->memory[i].size = v->maps[i].size;
  }
  v->mapped = flags;
  return TRUE;
}

void
ggo_view_unmap (GgoView * v)
{
  guint i;

  if (v->mapped == 0)
    return;
  for (i = 0; i < v->n_memory; i++)
    gst_buffer_unmap (v->buffer, &v->maps[i]);
  v->mapped = 0;
}

/* ---- making ---- */

void
ggo_buffer_append_bytes (GstBuffer * b, const guint8 * data, gsize n)
{
  GstMemory *m;
  GstMapInfo map;

  if (n == 0)
    return;
  m = gst_allocator_alloc (NULL, n, NULL);
  if (gst_memory_map (m, &map, GST_MAP_WRITE)) {
    memcpy (map.data, data, n);
    gst_memory_unmap (m, &map);
  }
  gst_buffer_append_memory (b, m);
}

GstBuffer *
ggo_buffer_from_bytes (const guint8 * data, gsize n)
{
  GstBuffer *b = gst_buffer_new ();
  ggo_buffer_append_bytes (b, data, n);
  return b;
}

/* Metas that do not speak of the memory's layout go with the record: reference timestamps, delivery tokens. */
static gboolean
copy_meta (GstBuffer * in, GstMeta ** meta, gpointer data)
{
  const GstMetaInfo *info = (*meta)->info;
  const gchar *const *tags = gst_meta_api_type_get_tags (info->api);
  GstMetaTransformCopy copy = { FALSE, 0, (gsize) - 1 };

  if ((tags == NULL || tags[0] == NULL) && info->transform_func != NULL)
    info->transform_func (data, *meta, in, _gst_meta_transform_copy, &copy);
  return TRUE;
}

/* A buffer of head, the input's memories (shared, not copied) where asked for, and tail, with the input's times and flags. */
GstBuffer *
ggo_buffer_wrap (GstBuffer * in, const guint8 * head, gsize n_head, gboolean share, const guint8 * tail, gsize n_tail)
{
  GstBuffer *b = gst_buffer_new ();

  gst_buffer_copy_into (b, in, GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  GST_BUFFER_FLAG_UNSET (b, GST_BUFFER_FLAG_TAG_MEMORY);
  gst_buffer_foreach_meta (in, copy_meta, b);
  ggo_buffer_append_bytes (b, head, n_head);
  if (share) {
    guint i, n = gst_buffer_n_memory (in);
    for (i = 0; i < n; i++)
      gst_buffer_append_memory (b, gst_buffer_get_memory (in, i));
    /* A pooled buffer goes back to its pool only when nobody reads its memory any more. */
    if (in->pool != NULL)
      gst_buffer_add_parent_buffer_meta (b, in);
  }
  ggo_buffer_append_bytes (b, tail, n_tail);
  return b;
}

/* A buffer with n bytes of system memory, at data for the caller to write, with the input's times, flags and metas. */
GstBuffer *
ggo_buffer_build (GstBuffer * in, gsize n, guint8 ** data)
{
  GstBuffer *b = ggo_buffer_wrap (in, NULL, 0, FALSE, NULL, 0);
  gpointer block = g_malloc (MAX (n, 1));

  gst_buffer_append_memory (b, gst_memory_new_wrapped (0, block, MAX (n, 1), 0, n, block, g_free));
  *data = block;
  return b;
}

GstBuffer *
ggo_buffer_region (GstBuffer * b, gsize offset, gsize size)
{
  return gst_buffer_copy_region (b, GST_BUFFER_COPY_ALL, offset, size);
}

GstBuffer *
ggo_buffer_make_writable (GstBuffer * b)
{
  return gst_buffer_make_writable (b);
}

gboolean
ggo_buffer_is_writable (GstBuffer * b)
{
  return gst_buffer_is_writable (b);
}

void
ggo_buffer_set_flags (GstBuffer * b, guint set, guint unset)
{
  GST_BUFFER_FLAG_SET (b, set);
  GST_BUFFER_FLAG_UNSET (b, unset);
}

/* ---- delivery tokens ---- */

/* Shared by every buffer and record that came of one source buffer. It reports once, when the last reference is gone:
 * by then each branch has said what became of it, or has lost it. */
struct _GgoToken {
  gint refs;                    /* atomic */
  gint expected, completed;     /* atomic */
  gint failed, dropped;         /* atomic */
  uintptr_t handle;
};

GgoToken *
ggo_token_new (uintptr_t handle)
{
  GgoToken *t = g_new0 (GgoToken, 1);
  t->refs = 1;
  t->expected = 1;
  t->handle = handle;
  return t;
}

GgoToken *
ggo_token_ref (GgoToken * t)
{
  g_atomic_int_inc (&t->refs);
  return t;
}

void
ggo_token_unref (GgoToken * t)
{
  gint outcome = GGO_OUTCOME_DELIVERED;

  if (!g_atomic_int_dec_and_test (&t->refs))
    return;
  if (t->failed > 0)
    outcome = GGO_OUTCOME_FAILED;
  else if (t->completed < t->expected)
    outcome = GGO_OUTCOME_LOST;
  else if (t->dropped > 0 && t->dropped >= t->completed)
    outcome = GGO_OUTCOME_DROPPED;
  ggoGoTokenDone (t->handle, outcome);
  g_free (t);
}

void
ggo_token_expect (GgoToken * t, gint more)
{
  g_atomic_int_add (&t->expected, more);
}

void
ggo_token_complete (GgoToken * t, gint outcome)
{
  if (outcome == GGO_OUTCOME_FAILED)
    g_atomic_int_inc (&t->failed);
  if (outcome == GGO_OUTCOME_DROPPED)
    g_atomic_int_inc (&t->dropped);
  g_atomic_int_inc (&t->completed);
}

typedef struct {
  GstMeta meta;
  GgoToken *token;
} TokenMeta;

static GType
token_api (void)
{
  static gsize once = 0;
  if (g_once_init_enter (&once)) {
    static const gchar *tags[] = { NULL };
    g_once_init_leave (&once, gst_meta_api_type_register ("GgoDeliveryTokenAPI", tags));
  }
  return once;
}

static gboolean
token_meta_init (GstMeta * m, gpointer params, GstBuffer * b)
{
  ((TokenMeta *) m)->token = NULL;
  return TRUE;
}

static void
token_meta_free (GstMeta * m, GstBuffer * b)
{
  TokenMeta *t = (TokenMeta *) m;
  if (t->token != NULL)
    ggo_token_unref (t->token);
}

static gboolean
token_meta_transform (GstBuffer * to, GstMeta * m, GstBuffer * from, GQuark type, gpointer data)
{
  if (ggo_buffer_token (to) == NULL)
    ggo_buffer_set_token (to, ((TokenMeta *) m)->token);
  return TRUE;
}

static const GstMetaInfo *
token_info (void)
{
  static gsize once = 0;
  if (g_once_init_enter (&once)) {
    const GstMetaInfo *i = gst_meta_register (token_api (), "GgoDeliveryToken", sizeof (TokenMeta),
        token_meta_init, token_meta_free, token_meta_transform);
    g_once_init_leave (&once, GPOINTER_TO_SIZE (i));
  }
  return GSIZE_TO_POINTER (once);
}

/* Takes a reference of its own, in place of the token that the buffer had. FALSE where the buffer is not writable. */
gboolean
ggo_buffer_set_token (GstBuffer * b, GgoToken * t)
{
  TokenMeta *m;

  if (!gst_buffer_is_writable (b))
    return FALSE;
  ggo_token_ref (t);
  m = (TokenMeta *) gst_buffer_get_meta (b, token_api ());
  if (m == NULL)
    m = (TokenMeta *) gst_buffer_add_meta (b, token_info (), NULL);
  else
    ggo_token_unref (m->token);
  m->token = t;
  return TRUE;
}

GgoToken *
ggo_buffer_token (GstBuffer * b)
{
  TokenMeta *m = (TokenMeta *) gst_buffer_get_meta (b, token_api ());
  return m != NULL ? m->token : NULL;
}
