// What lies where: one io_uring_setup(2), the params that it fills in, and the maps made from them.
//
// What must hold:
//  - Nothing about the memory is fixed but the meaning of params: every offset is read from there.
//  - The CQ is at least twice the SQ by default, because a request can be submitted while the
//    completions of earlier ones wait.
//  - Two mmaps are enough: the rings (5.4, IORING_FEAT_SINGLE_MMAP) and the SQEs. Before, and still
//    for whoever asks, it took three.

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cinttypes>
#include <string>

#include "common/uring/prep.hpp"
#include "common/uring/ring.hpp"
#include "m1_sq_cq/bit_names.hpp"
#include "m1_sq_cq/feature_masks.hpp"
#include "m1_sq_cq/narrator.hpp"
#include "m1_sq_cq/process_view.hpp"
#include "m1_sq_cq/ring_layout.hpp"
#include "m1_sq_cq/table.hpp"
#include "m1_sq_cq/text.hpp"

namespace m1 {

namespace {

using uring::Feature;
using uring::Ring;

constexpr std::uint32_t kSqWanted = 6;
constexpr std::uint32_t kCqWanted = 20;

// --- Sizes ----------------------------------------------------------------------------------------

struct Sizes {
  std::uint32_t sq;
  std::uint32_t cq;  // 0: not asked for
};

void show_sizes(Narrator& out, const LessonContext& context) {
  out.section("Sizes: what is asked for, and what comes");
  Table table{{"SQ asked", Table::Align::Right},
              {"CQ asked", Table::Align::Right},
              {"result"},
              {"SQ", Table::Align::Right},
              {"CQ", Table::Align::Right}};
  bool rounded_up = true;
  bool refused = true;
  for (const Sizes& sizes :
       std::to_array<Sizes>({{1, 0}, {kSqWanted, 0}, {kSqWanted, kCqWanted}, {8, 4}, {32769, 0}})) {
    if (sizes.cq != 0 && !context.features.has(Feature::Cqsize)) {
      continue;
    }
    const std::string cq_asked = sizes.cq != 0 ? std::to_string(sizes.cq) : "-";
    const bool is_valid = sizes.sq <= 32768 && (sizes.cq == 0 || sizes.cq >= sizes.sq);
    const auto ring =
        Ring::create({.sq_entries = sizes.sq, .cq_entries = sizes.cq}, context.features);
    if (!ring) {
      table.row({std::to_string(sizes.sq), cq_asked, ring.error().name(), "-", "-"});
      refused = refused && !is_valid && ring.error().value == EINVAL;
      continue;
    }
    const std::uint32_t sq = ring->params().sq_entries;
    const std::uint32_t cq = ring->params().cq_entries;
    table.row({std::to_string(sizes.sq), cq_asked, "ok", std::to_string(sq), std::to_string(cq)});
    rounded_up = rounded_up && is_valid && sq == std::bit_ceil(sizes.sq) &&
                 cq == (sizes.cq != 0 ? std::bit_ceil(sizes.cq) : 2 * sq);
  }
  table.print();
  out.claim(rounded_up,
            "sizes are rounded up to a power of two, and the CQ is twice the SQ if not "
            "asked for");
  out.claim(refused, "an SQ above 32768, and a CQ smaller than the SQ, are refused with EINVAL");
}

// --- One ring -------------------------------------------------------------------------------------

void show_params(Narrator& out, const Ring& ring) {
  const uring::io_uring_params& params = ring.params();
  out.section("One ring: what io_uring_setup(2) wrote into params");
  out.line("descriptor   %d", ring.fd());
  out.line("sq_entries   %u", params.sq_entries);
  out.line("cq_entries   %u", params.cq_entries);
  out.line("flags        0x%x  %s", params.flags, setup_flag_names(params.flags).c_str());
  out.line("features     0x%x", params.features);
  out.say("The feature bits mean: %s.", feature_bit_names(params.features).c_str());
  out.claim(params.cq_entries >= 2 * params.sq_entries, "the CQ (%u) is at least twice the SQ (%u)",
            params.cq_entries, params.sq_entries);
}

struct MapRow {
  const char* name;
  const char* offset_name;
  std::uint64_t offset;
  const uring::MappedRegion* map;
};

// The maps of the ring, as a table, each looked for in /proc/self/maps.
void show_maps(Narrator& out, const Ring& ring) {
  const uring::RingMapping& mapping = ring.mapping();
  const bool single = !mapping.cq_ring().mapped();
  const auto rows = std::to_array<MapRow>(
      {{single ? "SQ and CQ ring" : "SQ ring", "IORING_OFF_SQ_RING", uring::IORING_OFF_SQ_RING,
        &mapping.sq_ring()},
       {"CQ ring", "IORING_OFF_CQ_RING", uring::IORING_OFF_CQ_RING, &mapping.cq_ring()},
       {"SQEs", "IORING_OFF_SQES", uring::IORING_OFF_SQES, &mapping.sqes()}});
  Table table{{"map of"}, {"offset given to mmap"}, {"address"}, {"bytes", Table::Align::Right}};
  const std::vector<RingMap> seen = ring_maps();
  std::size_t made = 0;
  std::size_t found = 0;
  for (const MapRow& row : rows) {
    if (!row.map->mapped()) {
      continue;
    }
    ++made;
    const auto address = reinterpret_cast<std::uintptr_t>(row.map->data());
    found += static_cast<std::size_t>(std::ranges::count_if(seen, [&](const RingMap& map) {
      return map.start == address && map.end >= address + row.map->size() &&
             map.offset == row.offset;
    }));
    table.row({row.name, text("%s = 0x%" PRIx64, row.offset_name, row.offset),
               text("0x%" PRIxPTR, address), std::to_string(row.map->size())});
  }
  table.print();
  out.claim(found == made && seen.size() == made,
            "%zu maps, and /proc/self/maps shows these %zu, at these addresses and offsets", made,
            found);
}

// One map as a drawing: its parts by ascending offset, and the holes between them.
void draw_map(Narrator& out, const char* title, const uring::MappedRegion& map,
              const std::vector<LayoutItem>& items) {
  const std::string rule = "+" + std::string(18, '-') + "+";
  out.gap();
  out.line("%s: %zu bytes at %p", title, map.size(), static_cast<const void*>(map.data()));
  out.line("offset  %s  holds now               written by", rule.c_str());
  std::size_t end = 0;
  for (const LayoutItem& item : items) {
    if (item.offset > end) {
      out.line("%6zu  |%18s|  (%zu bytes between)", end, "", item.offset - end);
    }
    out.line("%6u  | %-16s |  %-22s  %s", item.offset, item.name.c_str(), item.holds.c_str(),
             to_string(item.writer));
    end = item.offset + item.size;
  }
  out.line("%6zu  %s", end, rule.c_str());
}

// Whether no two parts overlap and all lie inside the map.
bool fits(const std::vector<LayoutItem>& items, const uring::MappedRegion& map) {
  std::size_t end = 0;
  for (const LayoutItem& item : items) {
    if (item.offset < end) {
      return false;
    }
    end = item.offset + item.size;
  }
  return end <= map.size();
}

void show_layout(Narrator& out, const Ring& ring) {
  out.section("What lies where: sq_off and cq_off, by ascending offset");
  const uring::RingMapping& mapping = ring.mapping();
  const std::vector<LayoutItem> first = ring_layout(ring, false);
  const bool single = !mapping.cq_ring().mapped();
  draw_map(out, single ? "SQ and CQ ring" : "SQ ring", mapping.sq_ring(), first);
  bool all_fit = fits(first, mapping.sq_ring());
  if (!single) {
    const std::vector<LayoutItem> second = ring_layout(ring, true);
    draw_map(out, "CQ ring", mapping.cq_ring(), second);
    all_fit = all_fit && fits(second, mapping.cq_ring());
  }
  const auto sqe_size = static_cast<std::uint32_t>(sizeof(uring::io_uring_sqe));
  draw_map(out, "SQEs", mapping.sqes(),
           {{.offset = 0,
             .size = ring.params().sq_entries * sqe_size,
             .name = "sqes",
             .holds = text("%u SQEs of %u bytes", ring.params().sq_entries, sqe_size),
             .writer = WrittenBy::Us}});
  out.claim(all_fit, "no two parts overlap, and all lie inside their map");

  const uring::MappedRegion& cq_map = single ? mapping.sq_ring() : mapping.cq_ring();
  const std::uint32_t sq_mask =
      *mapping.sq_ring().at<std::uint32_t>(ring.params().sq_off.ring_mask);
  const std::uint32_t cq_mask = *cq_map.at<std::uint32_t>(ring.params().cq_off.ring_mask);
  out.claim(sq_mask == ring.params().sq_entries - 1 && cq_mask == ring.params().cq_entries - 1,
            "the masks in memory are %u and %u: the sizes less one", sq_mask, cq_mask);
}

// --- Other forms ----------------------------------------------------------------------------------

Status show_index_array(Narrator& out, const LessonContext& context) {
  out.section("The index array, and NO_SQARRAY");
  out.say(
      "On a ring with the index array a slot of the SQ holds the number of an SQE, so that SQEs "
      "can be submitted in another order than written. Nobody needs that: the array is filled "
      "once with 0, 1, 2 ... NO_SQARRAY does without it.");
  const auto with_array_features = without(context.features, Feature::NoSqarray);
  if (!with_array_features) {
    return out.cannot("ask for features", with_array_features.error());
  }
  const auto with_array =
      Ring::create({.sq_entries = kSqWanted, .cq_entries = kCqWanted}, *with_array_features);
  if (!with_array) {
    return out.cannot("set up a ring with an index array", with_array.error());
  }
  Table table{{"ring"},
              {"sq_off.array", Table::Align::Right},
              {"bytes in the map of the rings", Table::Align::Right}};
  const auto add_row = [&table](const char* name, const Ring& ring) {
    table.row({name, std::to_string(ring.params().sq_off.array),
               std::to_string(ring.mapping().sq_ring().size())});
  };
  add_row("with the index array", *with_array);
  if (!context.features.has(Feature::NoSqarray)) {
    table.print();
    out.skip(Feature::NoSqarray, "a ring without it");
    return out.status();
  }
  const auto plain =
      Ring::create({.sq_entries = kSqWanted, .cq_entries = kCqWanted}, context.features);
  if (!plain) {
    return out.cannot("set up a ring", plain.error());
  }
  add_row("NO_SQARRAY", *plain);
  table.print();
  out.claim(with_array->params().sq_off.array != 0 && plain->params().sq_off.array == 0,
            "without the array its offset is %u", plain->params().sq_off.array);
  return out.status();
}

Status show_two_maps(Narrator& out, const LessonContext& context) {
  out.section("The older form: SQ ring and CQ ring mapped apart");
  const auto features = without(context.features, Feature::SingleMmap);
  if (!features) {
    return out.cannot("ask for features", features.error());
  }
  auto ring = Ring::create({.sq_entries = kSqWanted, .cq_entries = kCqWanted}, *features);
  if (!ring) {
    return out.cannot("set up a ring in the older form", ring.error());
  }
  show_maps(out, *ring);
  if ((ring->params().features & uring::IORING_FEAT_SINGLE_MMAP) == 0) {
    return out.status();
  }

  // One NOP moves the CQ tail. Both maps are large enough to look at it.
  const std::uint32_t tail_at = ring->params().cq_off.tail;
  const auto tail_in = [tail_at](const uring::MappedRegion& map) {
    return std::atomic_ref(*map.at<std::uint32_t>(tail_at)).load(std::memory_order_acquire);
  };
  const uring::RingMapping& mapping = ring->mapping();
  const std::uint32_t before = tail_in(mapping.sq_ring());
  uring::prep_nop(*ring->next_sqe());
  if (const auto done = ring->submit_and_wait(1); !done) {
    return out.cannot("run a NOP", done.error());
  }
  out.claim(before == 0 && tail_in(mapping.cq_ring()) == 1 && tail_in(mapping.sq_ring()) == 1,
            "a NOP moved the CQ tail from %u to %u in the CQ's map, and to %u in the SQ's, at the "
            "same offset: both maps show the same memory",
            before, tail_in(mapping.cq_ring()), tail_in(mapping.sq_ring()));
  return out.status();
}

}  // namespace

Status lesson_setup(const LessonContext& context) {
  Narrator out("setup");
  show_sizes(out, context);
  {
    const auto ring =
        Ring::create({.sq_entries = kSqWanted, .cq_entries = kCqWanted, .trace = context.trace},
                     context.features);
    if (!ring) {
      return out.cannot("set up a ring", ring.error());
    }
    show_params(out, *ring);
    out.section("The maps");
    show_maps(out, *ring);
    show_layout(out, *ring);
  }
  if (const Status status = show_index_array(out, context); status != Status::Ok) {
    return status;
  }
  return show_two_maps(out, context);
}

}  // namespace m1
