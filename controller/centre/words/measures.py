"""Words of the page with an intersection's performance measures."""

from __future__ import annotations

from denxanh.controller.centre.words.word import Word, Words

MEASURES: Words = {
    "measure.title": Word("Đo lường hoạt động đèn", "Signal performance measures"),
    "measure.place": Word("Nút giao", "Intersection"),
    "measure.phase": Word("Nhóm đèn", "Signal group"),
    "measure.period": Word("Khoảng thời gian", "Period"),
    "measure.hours": Word("{n} giờ", "{n} hours", "{n} hour"),
    "measure.known": Word(
        "{from} đến {to}: biết rõ {share} thời gian. Chỗ trống là lúc không có dữ liệu, không suy đoán.",
        "{from} to {to}: {share} of the time is known. Gaps stay empty, nothing is guessed.",
    ),
    "measure.none": Word(
        "Chưa có sự kiện đèn nào của nút này.", "There are no signal events of this intersection yet."
    ),
    "measure.coordination": Word("Biểu đồ phối hợp Purdue", "Purdue coordination diagram"),
    "measure.coordination.none": Word(
        "Nhóm đèn này không có vòng từ phía trước vạch dừng.", "This signal group has no advance loops."
    ),
    "measure.on-green": Word("đến lúc xanh", "arrives on green"),
    "measure.on-red": Word("đến lúc vàng, đỏ", "arrives on yellow or red"),
    "measure.splits": Word("Thời lượng từng lượt (xanh đến hết đỏ dọn nút)", "Split monitor"),
    "measure.terminations": Word("Vì sao đèn xanh kết thúc", "Phase terminations"),
    "measure.gap": Word("hết xe", "gap out"),
    "measure.max": Word("hết thời gian tối đa", "max out"),
    "measure.force": Word("theo chương trình hoặc quyết định", "force off"),
    "measure.by-phase": Word("Theo nhóm đèn", "By signal group"),
    "measure.greens": Word("Lượt xanh", "Greens"),
    "measure.green": Word("Xanh TB, giây", "Mean green, s"),
    "measure.failures": Word("Không xả hết", "Split failures"),
    "measure.volume": Word("Lượt xe", "Vehicles"),
    "measure.share-on-green": Word("Đến lúc xanh", "On green"),
    "measure.platoon": Word("Tỷ số đoàn xe", "Platoon ratio"),
    "measure.wait": Word("Chờ lâu nhất, giây", "Longest wait, s"),
    "measure.red-entries": Word("Vượt vạch lúc đỏ", "Red entries"),
    "measure.ped-delay": Word("Người đi bộ chờ TB, giây", "Mean pedestrian delay, s"),
    "measure.detectors": Word("Bộ dò", "Detectors"),
    "measure.detector": Word("Bộ dò", "Detector"),
    "measure.actuations": Word("Lượt tác động", "Actuations"),
    "measure.occupied": Word("Bị chiếm", "Occupied"),
    "measure.suspicion": Word("Nhận xét", "Looks"),
    "measure.suspicion.none": Word("bình thường", "in order"),
    "measure.suspicion.fault": Word("đã báo lỗi", "was called faulty"),
    "measure.suspicion.stuck-on": Word("có thể kẹt ở trạng thái có xe", "perhaps stuck on"),
    "measure.suspicion.silent": Word("im lặng, trong khi làn có xe", "silent while its lane has traffic"),
    "measure.suspicion.erratic": Word("đếm quá nhiều", "counts too many"),
}
