"""The alternative text of each figure: what a reader who cannot see it should know."""

ALTERNATIVE_TEXT = {
    "01_age": (
        "Box plots of age by diagnosis: patients with naevi are youngest, those with keratoses "
        "and carcinomas oldest."
    ),
    "01_brightness_cohort": "Brightness and redness of the images by source cohort.",
    "01_brightness_dx": "Brightness and redness of the images by diagnosis.",
    "01_cohort": (
        "Share of each kind of proof by source cohort, in percent: the cohort nearly decides it."
    ),
    "01_counts": (
        "Bar charts of the number of images by diagnosis, kind of proof, sex and localization; "
        "naevi are by far the most frequent diagnosis."
    ),
    "01_grid": "Contact sheet: seven diagnoses, eight lesions of each.",
    "01_lesions": (
        "Left: most lesions have one image, a few have several. Right: share of lesions with "
        "several images by diagnosis."
    ),
    "01_localization": (
        "Share of each localization by diagnosis, in percent: benign and malignant keratoses "
        "are often on the face, naevi on back and legs."
    ),
    "01_paradox": (
        "Share of lesions with several images in HAM10000, two panels: benign keratoses against "
        "naevi, melanomas against naevi. The thick line for all cohorts together falls steeply "
        "towards the naevi; the thin lines of the single cohorts rise or stay nearly level."
    ),
    "02_across": (
        "Pairs of images that the descriptor takes for one lesion although they are filed under "
        "two, one above the other, with the number of matching points."
    ),
    "02_cost": (
        "Seconds of the pair search against the number of images on logarithmic axes: measured "
        "points, and the square law that leads to a million images."
    ),
    "02_descriptor": (
        "Precision against recall of two hashes and of the descriptor: the hashes stay at a low "
        "recall, the descriptor finds most pairs of one lesion at a high precision."
    ),
    "02_groups": (
        "The largest groups of images with the same hash, each with its lesion and diagnosis."
    ),
    "02_planted": (
        "Which planted pairs each rule finds, in percent: equal files and pixels find exact copies "
        "only, hashes also resized and re-encoded ones, turned hashes mirrored ones, the "
        "descriptor cropped ones and lesions under two ids."
    ),
    "02_hash": (
        "Four images, each beside its 8 x 8 grey version and the 64 bits of its hash: only the "
        "rough place of the dark part is left."
    ),
    "02_threshold_slider": (
        "Precision and recall of one perceptual hash, in percent, for each threshold from 0 to "
        "16 bits."
    ),
    "03_augment_each": (
        "One melanoma, then the same rotated, shifted, zoomed, sheared and mirrored, each by "
        "the largest amount allowed."
    ),
    "03_leaked": (
        "Images of the test part, and below each the image of the training part that shows the "
        "same lesion."
    ),
    "03_resize": (
        "One melanoma as photographed, then squashed and cropped to squares of 128, 64 and 32 "
        "pixels."
    ),
    "03_strength_slider": (
        "Four random augmentations of one melanoma in three rows: with no strength, with that of "
        "the parameters, and with three times as much."
    ),
    "04_confusion": ("Confusion matrices of the fully connected networks, in % of the true class."),
    "04_learning_curves": (
        "Training and validation loss by epoch for each fully connected network."
    ),
    "05_confusion": "Confusion matrices of the multiclass models, in % of the true class.",
    "05_learning_curves": (
        "Training and validation loss by epoch for each multiclass model and protocol."
    ),
    "05_rebuilt": ("Six images above, and below them what the autoencoder rebuilds from its code."),
    "06_accuracy": (
        "Accuracy of the nine models: published, ours under the paper's protocol, ours under "
        "the honest protocol, each with its majority class and with a logistic regression on "
        "colours; 95 % intervals as lines."
    ),
    "06_baselines_dx": (
        "Networks and baselines on dx, sorted by balanced accuracy: accuracy, balanced accuracy "
        "and AUC with intervals, under the honest protocol."
    ),
    "06_baselines_dx_type": (
        "Networks and baselines on dx_type, sorted by balanced accuracy, with intervals."
    ),
    "06_baselines_localization": (
        "Networks and baselines on localization, sorted by balanced accuracy, with intervals."
    ),
    "06_baselines_sex": (
        "Networks and baselines on sex, sorted by balanced accuracy, with intervals."
    ),
    "06_cohorts": (
        "Accuracy on each source cohort: trained with some of its images, without any, and without "
        "any but told its class shares."
    ),
    "06_dial": (
        "Balanced accuracy of three learners by split (image, lesion, lesion and duplicates) and "
        "by when images are repeated (before the split, after it, never): the more a learner "
        "remembers, the more it gains from the leak."
    ),
    "06_gap_full": (
        "The study at full size, kept with the course: for each model a line from its balanced "
        "accuracy under the protocol honest to that under paper. The lines of localization are by "
        "far the longest, those of sex the shortest."
    ),
    "06_gap": (
        "For each model a line from its balanced accuracy under the honest protocol to that under "
        "the paper's."
    ),
    "06_decision_slider": (
        "Sensitivity and specificity for melanoma, in percent, as the probability from which an "
        "image is called a melanoma goes from 0 to 1."
    ),
    "06_reliability": (
        "Reliability diagrams of the models on dx: share of right answers against the highest "
        "probability, as trained and after temperature scaling."
    ),
    "07_distances": (
        "For each row of the paper that was tried: how far the scores of five ways to resample lie "
        "from the printed ones, a point a way, over seeds where there are several."
    ),
    "06_subgroups": (
        "Accuracy of the colour baseline on dx by sex, age band, localization and cohort, with "
        "intervals and numbers of images."
    ),
    "07_shift": (
        "Five panels, a line for each corruption of the test images: accuracy, balanced accuracy, "
        "the share that is answered, the share of right answers among these, and the share that is "
        "flagged as not like the training images; a mark with an interval for each strength, and a "
        "dotted line for the images as they are."
    ),
    "08_artefacts": (
        "One test image as it is, then with a ruler, hairs, dark corners, gel bubbles, and a "
        "little brighter or darker."
    ),
    "08_covered_slider": (
        "Mean probability of the network's answer as the pixels that each map holds most important "
        "are covered, from none to all; beside it one image with a part covered."
    ),
    "08_covers": (
        "Images of several diagnoses as they are, and below them what each cover leaves: the "
        "lesion, the skin around it, its outline, 8 x 8 coloured squares."
    ),
    "08_cover_scores": (
        "AUC of each cover with its interval, a panel a target; one half, chance, is dotted."
    ),
    "08_cover_scores_full": (
        "AUC of each cover on the real images with its interval, a panel a target: dx, dx_type "
        "and sex; one half, chance, is dotted."
    ),
    "08_criteria": (
        "Drawn images with the outline of the place where one criterion was drawn, a criterion a "
        "line, and beside each the maps of five methods."
    ),
    "08_flips": (
        "Share of answers that each artefact flips, in percent, for all test images and for each "
        "true class, with intervals."
    ),
    "08_forgetting": (
        "Rank correlation of each map with that of the trained network as its layers are "
        "randomised one after the other from the top; centre Gaussian and edge detector stay at 1."
    ),
    "08_localised": (
        "How much of each map lies in the lesion by three measures: trained network, untrained "
        "network, and maps that know no network, each with its interval; chance is dotted."
    ),
    "08_localised_full": (
        "The same on the real images: how much of each map lies in the lesion by three measures, "
        "for the trained network, the untrained one and maps that know no network."
    ),
    "08_maps": (
        "Test images with the outline of the lesion, and beside each the maps of five methods: "
        "surely right, unsurely right, surely wrong and unsurely wrong answers."
    ),
    "08_untrained": (
        "The same images with the maps of a network that was never trained: their largest "
        "value often lies in the lesion, too."
    ),
    "10_heat": (
        "Grid of mean validation scores, learning rate against width of the network; the score "
        "stands in each cell."
    ),
    "10_regret": (
        "How far the best so far lies below the best cell, against the number of trials, for grid, "
        "random search and TPE: three falling curves with the middle half of their orders as bands."
    ),
    "10_best_of": (
        "The best validation score of N trials, and the test score of the trial that has it, "
        "against N: two curves, and the gap between them in grey."
    ),
    "10_plan": (
        "Hours until the last run ends against the number of workers, on logarithmic axes: they "
        "fall until the longest run alone decides, and stay level from there on."
    ),
    "09_beliefs": (
        "What FixMatch takes the unlabelled images for, truth against sure answer, at its first "
        "look and at its last; beside them how many answers are sure and how many of those right."
    ),
    "09_changes": (
        "Macro AUC of the diagnosis read from images as they are, turned, zoomed, with colours "
        "changed a little or strongly, and grey, with intervals; one half, chance, is dotted."
    ),
    "09_collapse": (
        "Curves of how alike different images are to three networks: untrained, SimCLR, and "
        "one that learnt without strangers."
    ),
    "09_curves": (
        "Balanced accuracy and macro AUC of each method against the share of lesions with a "
        "label, with seeds' ranges and intervals over test lesions, on this run's images."
    ),
    "09_curves_full": (
        "Balanced accuracy and macro AUC of each method against the share of lesions with a "
        "label, with seeds' ranges and intervals over test lesions, on the real images."
    ),
    "09_views": (
        "Pairs of images: two views of one photograph, and two photographs of one lesion."
    ),
}
