/* Values: GValue to and from the flat form, structures both ways. */
#include "ggo.h"
#include <string.h>

GType
ggo_gtype (gint type)
{
  switch (type) {
    case GGO_STRING: return G_TYPE_STRING;
    case GGO_BOOL: return G_TYPE_BOOLEAN;
    case GGO_INT: return G_TYPE_INT;
    case GGO_UINT: return G_TYPE_UINT;
    case GGO_INT64: return G_TYPE_INT64;
    case GGO_UINT64: return G_TYPE_UINT64;
    case GGO_DOUBLE: return G_TYPE_DOUBLE;
    case GGO_FRACTION: return GST_TYPE_FRACTION;
    case GGO_STRUCTURE: return GST_TYPE_STRUCTURE;
    case GGO_OBJECT: return G_TYPE_OBJECT;
    case GGO_CAPS: return GST_TYPE_CAPS;
    case GGO_BUFFER: return GST_TYPE_BUFFER;
    case GGO_LIST: return GST_TYPE_LIST;
    case GGO_ARRAY: return GST_TYPE_ARRAY;
    case GGO_INT_RANGE: return GST_TYPE_INT_RANGE;
    case GGO_INT64_RANGE: return GST_TYPE_INT64_RANGE;
    case GGO_DOUBLE_RANGE: return GST_TYPE_DOUBLE_RANGE;
    case GGO_FRACTION_RANGE: return GST_TYPE_FRACTION_RANGE;
    case GGO_BYTES: return G_TYPE_BYTES;
    default: return G_TYPE_NONE;
  }
}

gint
ggo_gvalue_type (const GValue * v)
{
  return ggo_gtype_type (G_VALUE_TYPE (v));
}

gint
ggo_gtype_type (GType t)
{
  gint i;

  for (i = GGO_STRING; i <= GGO_INT64_RANGE; i++)
    if (i != GGO_ENUM && i != GGO_FLAGS && i != GGO_NONE && i != GGO_OTHER && i != GGO_OBJECT && t == ggo_gtype (i))
      return i;
  if (G_TYPE_IS_ENUM (t))
    return GGO_ENUM;
  if (G_TYPE_IS_FLAGS (t))
    return GGO_FLAGS;
  if (g_type_is_a (t, G_TYPE_OBJECT))
    return GGO_OBJECT;
  return GGO_OTHER;
}

/* Reads a number of any type in all the forms that a number can be asked for in; FALSE where v holds none. */
static gboolean
number (const GgoValue * v, gint64 * i, guint64 * u, gdouble * d)
{
  switch (v->type) {
    case GGO_BOOL:
    case GGO_INT:
    case GGO_INT64:
    case GGO_ENUM:
      *i = v->i;
      *u = v->i;
      *d = v->i;
      return TRUE;
    case GGO_UINT:
    case GGO_UINT64:
    case GGO_FLAGS:
      *i = v->u;
      *u = v->u;
      *d = v->u;
      return TRUE;
    case GGO_DOUBLE:
      *i = v->d;
      *u = v->d;
      *d = v->d;
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
number_to_gvalue (const GgoValue * v, gint type, GValue * out)
{
  gint64 i;
  guint64 u;
  gdouble d;

  if (!number (v, &i, &u, &d))
    return FALSE;
  switch (type) {
    case GGO_BOOL: g_value_set_boolean (out, i != 0); return TRUE;
    case GGO_INT: g_value_set_int (out, i); return TRUE;
    case GGO_UINT: g_value_set_uint (out, u); return TRUE;
    case GGO_INT64: g_value_set_int64 (out, i); return TRUE;
    case GGO_UINT64: g_value_set_uint64 (out, u); return TRUE;
    case GGO_DOUBLE: g_value_set_double (out, d); return TRUE;
    case GGO_ENUM: g_value_set_enum (out, i); return TRUE;
    case GGO_FLAGS: g_value_set_flags (out, u); return TRUE;
    default: return FALSE;
  }
}

/* out is initialised to its type already. Strings and boxed values are copied, objects referenced. FALSE where v does not fit the type. */
gboolean
ggo_value_to_gvalue (const GgoValue * v, GValue * out)
{
  gint type = ggo_gvalue_type (out);

  if (type != v->type)
    return number_to_gvalue (v, type, out);
  switch (type) {
    case GGO_STRING: g_value_set_string (out, v->str); return TRUE;
    case GGO_FRACTION: gst_value_set_fraction (out, v->num, v->den); return TRUE;
    case GGO_STRUCTURE:
    case GGO_CAPS:
    case GGO_BUFFER: g_value_set_boxed (out, v->ptr); return TRUE;
    case GGO_OBJECT:
      if (v->ptr != NULL && !g_type_is_a (G_OBJECT_TYPE (v->ptr), G_VALUE_TYPE (out)))
        return FALSE;
      g_value_set_object (out, v->ptr);
      return TRUE;
    default: return number_to_gvalue (v, type, out);
  }
}

/* Strings, structures and objects are borrowed from in; a type without a flat form comes as its type alone. */
void
ggo_value_from_gvalue (const GValue * in, GgoValue * out)
{
  memset (out, 0, sizeof *out);
  out->type = ggo_gvalue_type (in);
  switch (out->type) {
    case GGO_STRING: out->str = (gchar *) g_value_get_string (in); break;
    case GGO_BOOL: out->i = g_value_get_boolean (in); break;
    case GGO_INT: out->i = g_value_get_int (in); break;
    case GGO_UINT: out->u = g_value_get_uint (in); break;
    case GGO_INT64: out->i = g_value_get_int64 (in); break;
    case GGO_UINT64: out->u = g_value_get_uint64 (in); break;
    case GGO_DOUBLE: out->d = g_value_get_double (in); break;
    case GGO_FRACTION:
      out->num = gst_value_get_fraction_numerator (in);
      out->den = gst_value_get_fraction_denominator (in);
      break;
    case GGO_ENUM: out->i = g_value_get_enum (in); break;
    case GGO_FLAGS: out->u = g_value_get_flags (in); break;
    case GGO_STRUCTURE:
    case GGO_CAPS:
    case GGO_BUFFER: out->ptr = g_value_get_boxed (in); break;
    case GGO_OBJECT: out->ptr = g_value_get_object (in); break;
    default: break;
  }
}

/* Takes copies or references of its own of what is borrowed. */
void
ggo_value_own (GgoValue * v)
{
  v->str = g_strdup (v->str);
  if (v->ptr == NULL)
    return;
  switch (v->type) {
    case GGO_STRUCTURE: v->ptr = gst_structure_copy (v->ptr); break;
    case GGO_CAPS:
    case GGO_BUFFER: v->ptr = gst_mini_object_ref (v->ptr); break;
    case GGO_OBJECT: v->ptr = g_object_ref (v->ptr); break;
  }
}

/* Frees what Go filled in for C: a string, a structure. */
void
ggo_value_clear (GgoValue * v)
{
  g_free (v->str);
  if (v->type == GGO_STRUCTURE && v->ptr != NULL)
    gst_structure_free (v->ptr);
  v->str = NULL;
  v->ptr = NULL;
}

/* The same for what a Go function gave as its result: objects, caps and buffers too. */
void
ggo_value_drop (GgoValue * v)
{
  if (v->ptr != NULL && (v->type == GGO_CAPS || v->type == GGO_BUFFER))
    gst_mini_object_unref (v->ptr);
  if (v->ptr != NULL && v->type == GGO_OBJECT)
    g_object_unref (v->ptr);
  ggo_value_clear (v);
}

/* ---- Go -> C ---- */

static const GgoRow *build_value (const GgoRow * r, const gchar * arena, GValue * v);

static const GgoRow *
build_fields (const GgoRow * r, gint n, const gchar * arena, GstStructure * s)
{
  gint i;
  for (i = 0; i < n; i++) {
    GValue v = G_VALUE_INIT;
    const gchar *name = arena + r->name;
    r = build_value (r, arena, &v);
    if (G_VALUE_TYPE (&v) != 0)
      gst_structure_take_value (s, name, &v);
  }
  return r;
}

static const GgoRow *
build_value (const GgoRow * r, const gchar * arena, GValue * v)
{
  const GgoRow *next = r + 1;
  gint i;

  if (r->type == GGO_OTHER) {
    /* A type that has no Go form comes back as what it was serialised to. */
    GType t = g_type_from_name (arena + r->len);
    if (t != 0) {
      g_value_init (v, t);
      if (!gst_value_deserialize (v, arena + r->str))
        g_value_unset (v);
    }
    return next;
  }
  g_value_init (v, ggo_gtype (r->type));
  switch (r->type) {
    case GGO_STRING: g_value_set_string (v, arena + r->str); break;
    case GGO_BOOL: g_value_set_boolean (v, r->i != 0); break;
    case GGO_INT: g_value_set_int (v, r->i); break;
    case GGO_UINT: g_value_set_uint (v, r->u); break;
    case GGO_INT64: g_value_set_int64 (v, r->i); break;
    case GGO_UINT64: g_value_set_uint64 (v, r->u); break;
    case GGO_DOUBLE: g_value_set_double (v, r->d); break;
    case GGO_FRACTION: gst_value_set_fraction (v, r->num, r->den); break;
    case GGO_INT_RANGE: gst_value_set_int_range_step (v, r->i, r->i2, r->u); break;
    case GGO_INT64_RANGE: gst_value_set_int64_range_step (v, r->i, r->i2, r->u); break;
    case GGO_DOUBLE_RANGE: gst_value_set_double_range (v, r->d, r->d2); break;
    case GGO_FRACTION_RANGE: gst_value_set_fraction_range_full (v, r->num, r->den, r->num2, r->den2); break;
    case GGO_BYTES: g_value_take_boxed (v, g_bytes_new (arena + r->str, r->len)); break;
    case GGO_STRUCTURE:{
      GstStructure *s = gst_structure_new_empty (arena + r->str);
      next = build_fields (next, r->n, arena, s);
      g_value_take_boxed (v, s);
      break;
    }
    case GGO_LIST:
    case GGO_ARRAY:
      for (i = 0; i < r->n; i++) {
        GValue item = G_VALUE_INIT;
        next = build_value (next, arena, &item);
        if (G_VALUE_TYPE (&item) == 0)
          continue;
        if (r->type == GGO_LIST)
          gst_value_list_append_and_take_value (v, &item);
        else
          gst_value_array_append_and_take_value (v, &item);
      }
      break;
  }
  return next;
}

/* Row 0 is the structure itself: its name at str, its n fields behind it. */
GstStructure *
ggo_structure_build (const GgoRow * rows, gint n_rows, const gchar * arena)
{
  GstStructure *s = gst_structure_new_empty (arena + rows->str);
  build_fields (rows + 1, rows->n, arena, s);
  return s;
}

/* ---- C -> Go ---- */

guint
ggo_structure_n (const GstStructure * s)
{
  return gst_structure_n_fields (s);
}

const gchar *
ggo_structure_field (const GstStructure * s, guint i)
{
  return gst_structure_nth_field_name (s, i);
}

const GValue *
ggo_structure_value (const GstStructure * s, guint i)
{
  return gst_structure_get_value (s, gst_structure_nth_field_name (s, i));
}

guint
ggo_gvalue_list_size (const GValue * v)
{
  return GST_VALUE_HOLDS_LIST (v) ? gst_value_list_get_size (v) : gst_value_array_get_size (v);
}

const GValue *
ggo_gvalue_list_at (const GValue * v, guint i)
{
  return GST_VALUE_HOLDS_LIST (v) ? gst_value_list_get_value (v, i) : gst_value_array_get_value (v, i);
}

void
ggo_gvalue_ranges (const GValue * v, gint64 * i, gint64 * i2, gint64 * step, gdouble * d, gdouble * d2,
    gint * num, gint * den, gint * num2, gint * den2)
{
  switch (ggo_gvalue_type (v)) {
    case GGO_INT_RANGE:
      *i = gst_value_get_int_range_min (v);
      *i2 = gst_value_get_int_range_max (v);
      *step = gst_value_get_int_range_step (v);
      break;
    case GGO_INT64_RANGE:
      *i = gst_value_get_int64_range_min (v);
      *i2 = gst_value_get_int64_range_max (v);
      *step = gst_value_get_int64_range_step (v);
      break;
    case GGO_DOUBLE_RANGE:
      *d = gst_value_get_double_range_min (v);
      *d2 = gst_value_get_double_range_max (v);
      break;
    case GGO_FRACTION_RANGE:{
      const GValue *lo = gst_value_get_fraction_range_min (v), *hi = gst_value_get_fraction_range_max (v);
      *num = gst_value_get_fraction_numerator (lo);
      *den = gst_value_get_fraction_denominator (lo);
      *num2 = gst_value_get_fraction_numerator (hi);
      *den2 = gst_value_get_fraction_denominator (hi);
      break;
    }
  }
}

/* The caller frees the text, which is NULL where there is none; the type's name is static. */
gchar *
ggo_gvalue_serialize (const GValue * v, gchar ** type_name)
{
  *type_name = (gchar *) G_VALUE_TYPE_NAME (v);
  if (G_VALUE_HOLDS_BOXED (v) && g_value_get_boxed (v) == NULL)
    return NULL;
  return gst_value_serialize (v);
}

const guint8 *
ggo_gvalue_bytes (const GValue * v, gsize * n)
{
  GBytes *b = g_value_get_boxed (v);
  *n = 0;
  return b != NULL ? g_bytes_get_data (b, n) : NULL;
}
