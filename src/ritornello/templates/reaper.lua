-- Ritornello for REAPER: new takes of the selected MIDI item.
--
-- Written by `ritornello reaper` (version @VERSION@). The item is written to a MIDI file beside the project,
-- the command line composes from it, and each song that it writes becomes a take of the item.
-- Load it: Actions > Show action list > New action > Load ReaScript.

local PROGRAM = [==[@PROGRAM@]==] -- quoted, with its first arguments
local TITLE = "Ritornello"
local TICKS = 960 -- ticks per quarter note (QN)
local NEAR = 1e-6 -- QN; nearer positions are equal, because bar lines are not exact

local function varlen(number)
  local bytes = string.char(number % 128)
  number = math.floor(number / 128)
  while number > 0 do
    bytes = string.char(128 + number % 128) .. bytes
    number = math.floor(number / 128)
  end
  return bytes
end

local function big_endian(number, size)
  local bytes = ""
  for _ = 1, size do
    bytes = string.char(number % 256) .. bytes
    number = math.floor(number / 256)
  end
  return bytes
end

-- The bars that the item touches: for each its start and end in QN, its meter and tempo.
local function bars_of(item)
  local position = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
  local length = reaper.GetMediaItemInfo_Value(item, "D_LENGTH")
  local end_qn = reaper.TimeMap2_timeToQN(0, position + length)
  local first = reaper.TimeMap_QNToMeasures(0, reaper.TimeMap2_timeToQN(0, position) + NEAR)
  local bars, index = {}, first - 1 -- GetMeasureInfo counts from 0
  repeat
    local _, start_qn, stop_qn, over, under, bpm = reaper.TimeMap_GetMeasureInfo(0, index)
    bars[#bars + 1] = { start = start_qn, stop = stop_qn, over = over, under = under, bpm = bpm }
    index = index + 1
  until stop_qn >= end_qn - NEAR
  return bars, position, length
end

-- The notes and controllers of a take inside the item, as { tick, order, bytes }.
local function events_of(take, bars, position, length, drums)
  local from_qn = reaper.TimeMap2_timeToQN(0, position)
  local to_qn = reaper.TimeMap2_timeToQN(0, position + length)
  local events, programs, channels = {}, false, {}
  local function add(qn, order, status, ...)
    local tick = math.floor((qn - bars[1].start) * TICKS + 0.5)
    events[#events + 1] = { math.max(tick, 0), order, string.char(status, ...) }
  end
  local _, notes, controllers = reaper.MIDI_CountEvts(take)
  for i = 0, notes - 1 do
    local _, _, muted, start, stop, channel, pitch, velocity = reaper.MIDI_GetNote(take, i)
    start = reaper.MIDI_GetProjQNFromPPQPos(take, start)
    stop = math.min(reaper.MIDI_GetProjQNFromPPQPos(take, stop), to_qn)
    if not muted and start >= from_qn - NEAR and stop > start then
      channel = drums and 9 or channel
      channels[channel] = true
      add(start, 2, 144 + channel, pitch, velocity)
      add(stop, 0, 128 + channel, pitch, 0)
    end
  end
  for i = 0, controllers - 1 do
    local _, _, muted, place, kind, channel, first, second = reaper.MIDI_GetCC(take, i)
    local qn = reaper.MIDI_GetProjQNFromPPQPos(take, place)
    if not muted and qn < to_qn then
      channel = drums and 9 or channel
      programs = programs or kind == 192
      if kind == 192 or kind == 208 then
        add(qn, 1, kind + channel, first)
      else
        add(qn, 1, kind + channel, first, second)
      end
    end
  end
  return events, programs, channels
end

-- Write the item as a MIDI file of format 0 that begins with the bar in which the item begins.
local function write_midi(path, take, bars, position, length, instrument)
  local drums = instrument == "drums"
  local events, programs, channels = events_of(take, bars, position, length, drums)
  if next(channels) == nil then return "the item has no notes" end
  local program = tonumber(instrument)
  for channel in pairs(channels) do
    if program and not programs then
      events[#events + 1] = { 0, 1, string.char(192 + channel, math.min(127, math.max(0, math.floor(program)))) }
    end
  end
  local before = {}
  for _, bar in ipairs(bars) do
    local tick = math.floor((bar.start - bars[1].start) * TICKS + 0.5)
    if bar.bpm ~= before.bpm then
      events[#events + 1] = { tick, -2, "\255\81\3" .. big_endian(math.floor(60000000 / bar.bpm + 0.5), 3) }
    end
    if bar.over ~= before.over or bar.under ~= before.under then
      local power = math.floor(math.log(bar.under) / math.log(2) + 0.5)
      events[#events + 1] = { tick, -1, "\255\88\4" .. string.char(bar.over, power, 24, 8) }
    end
    before = bar
  end
  events[#events + 1] = { math.floor((bars[#bars].stop - bars[1].start) * TICKS + 0.5), 9, "\255\47\0" }
  for place, event in ipairs(events) do event[4] = place end
  table.sort(events, function(a, b)
    for i = 1, 2 do
      if a[i] ~= b[i] then return a[i] < b[i] end
    end
    return a[4] < b[4]
  end)
  local parts, now = {}, 0
  for _, event in ipairs(events) do
    parts[#parts + 1] = varlen(event[1] - now) .. event[3]
    now = event[1]
  end
  local track = table.concat(parts)
  local file, problem = io.open(path, "wb")
  if not file then return problem end
  file:write("MThd" .. big_endian(6, 4) .. big_endian(0, 2) .. big_endian(1, 2) .. big_endian(TICKS, 2))
  file:write("MTrk" .. big_endian(#track, 4) .. track)
  file:close()
  return nil
end

-- The bars of the time selection, counted from 1 in the item; by default all up to that of the last onset.
local function selected_bars(take, bars)
  local from, to = reaper.GetSet_LoopTimeRange(false, false, 0, 0, false)
  local from_qn, to_qn = reaper.TimeMap2_timeToQN(0, from), reaper.TimeMap2_timeToQN(0, to)
  local _, notes = reaper.MIDI_CountEvts(take)
  local last_onset = bars[1].start
  for i = 0, notes - 1 do
    local _, _, _, start = reaper.MIDI_GetNote(take, i)
    last_onset = math.max(last_onset, reaper.MIDI_GetProjQNFromPPQPos(take, start))
  end
  local first, last, final
  for number, bar in ipairs(bars) do
    if bar.start <= last_onset + NEAR then final = number end
    if to > from and bar.stop > from_qn + NEAR and bar.start < to_qn - NEAR then
      first, last = first or number, number
    end
  end
  return (first or 1) .. "-" .. (last or final)
end

local function quoted(text)
  return '"' .. text .. '"'
end

-- The arguments of the program for a task; the item has `count` bars.
local function command_line(task, input, output, answers, count)
  local words
  if task == "redo" then
    words = "redo " .. quoted(input) .. " --bars " .. quoted(answers.bars) .. " --takes " .. answers.takes
  elseif task == "continue" then
    local total = answers.bars:match("^%d+$") or string.format("%d", 2 * count) -- for a range, twice the length of the item
    words = "compose --prompt " .. quoted(input) .. " --bars " .. total .. " -n " .. answers.takes
  elseif task == "accompany" then
    words = "compose --melody " .. quoted(input) .. " -n " .. answers.takes
  else
    return nil, "task '" .. task .. "': must be redo, continue or accompany"
  end
  return words .. " -o " .. quoted(output) .. " --overwrite --quiet " .. answers.more
end

-- The files that a command wrote: OUTPUT if it is one, else OUTPUT-1, OUTPUT-2 and so on.
local function files_made(stem, takes)
  local files = {}
  for number = 0, takes do
    local name = stem .. (number > 0 and "-" .. number or "") .. ".mid"
    if reaper.file_exists(name) then files[#files + 1] = name end
  end
  return files
end

local function add_takes(item, files, bars, position, length, task)
  for number, name in ipairs(files) do
    local source = reaper.PCM_Source_CreateFromFileEx(name, true) -- true: no MIDI import dialog
    local take = reaper.AddTakeToMediaItem(item)
    reaper.SetMediaItemTake_Source(take, source)
    local bar_start = reaper.TimeMap2_QNToTime(0, bars[1].start)
    reaper.SetMediaItemTakeInfo_Value(take, "D_STARTOFFS", position - bar_start)
    reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", TITLE .. " " .. task .. " " .. number, true)
    reaper.SetActiveTake(take)
    local long, in_qn = reaper.GetMediaSourceLength(source)
    local stop = in_qn and reaper.TimeMap2_QNToTime(0, bars[1].start + long) or bar_start + long
    if task == "continue" and stop - position > length then
      length = stop - position
      reaper.SetMediaItemInfo_Value(item, "D_LENGTH", length)
    end
  end
  reaper.UpdateArrange()
end

local function ask(take, bars)
  local captions = "redo / continue / accompany,Takes,Bars (redo: 5-8; continue: how many),"
    .. "Instrument (0-127 or drums),More options,extrawidth=160,separator=\n"
  local defaults = "redo\n4\n" .. selected_bars(take, bars) .. "\n\n"
  local confirmed, values = reaper.GetUserInputs(TITLE, 5, captions, defaults)
  if not confirmed then return nil end
  local fields = {}
  for field in (values .. "\n"):gmatch("(.-)\n") do fields[#fields + 1] = field:match("^%s*(.-)%s*$") end
  return {
    task = fields[1], takes = fields[2] or "", bars = fields[3] or "", instrument = fields[4] or "",
    more = fields[5] or "",
  }
end

-- Compose, and return a message if it failed.
local function run()
  local item = reaper.GetSelectedMediaItem(0, 0)
  local take = item and reaper.GetActiveTake(item)
  if not take or not reaper.TakeIsMIDI(take) then return "select a MIDI item first" end
  local bars, position, length = bars_of(item)
  local answers = ask(take, bars)
  if not answers then return nil end
  local takes = tonumber(answers.takes)
  if not takes or takes < 1 or takes ~= math.floor(takes) then
    return "takes '" .. answers.takes .. "': must be a whole number from 1"
  end
  if (answers.bars .. answers.more):find('[\n`$]') or answers.bars:find('"') then
    return "bars and options must not have quotes, $ or `"
  end
  local folder = reaper.GetProjectPath() .. "/ritornello"
  reaper.RecursiveCreateDirectory(folder, 0)
  local stem = folder .. "/" .. os.date("%Y%m%d-%H%M%S")
  local problem = write_midi(stem .. "-item.mid", take, bars, position, length, answers.instrument)
  if problem then return problem end
  answers.takes = string.format("%d", takes)
  local words, wrong = command_line(answers.task, stem .. "-item.mid", stem .. ".mid", answers, #bars)
  if not words then return wrong end
  local result = reaper.ExecProcess(PROGRAM .. " " .. words, 0) -- 0: wait as long as it takes
  local files = files_made(stem, takes)
  local code, output = (result or ""):match("^(-?%d+)\n?(.*)$")
  if code ~= "0" or #files == 0 then
    local command = "\nThe command was:\n" .. PROGRAM .. " " .. words
    return (result and "the command wrote no song: " .. (output or result) or "the command could not be started.") .. command
  end
  reaper.Undo_BeginBlock()
  add_takes(item, files, bars, position, length, answers.task)
  reaper.Undo_EndBlock(TITLE .. ": " .. answers.task, -1)
  return nil
end

local message = run()
if message then reaper.ShowMessageBox(message, TITLE, 0) end
